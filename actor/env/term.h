// A term of a custom task, bound to a model: numbers that are read from the simulator after each step.
// What terms there are, and what each is, says the table of common/task_spec.c.
#ifndef ACTOR_ENV_TERM_H
#define ACTOR_ENV_TERM_H

#include "actor/env_task.h"
#include "common/task_spec.h"

struct term {
    void (*read)(const struct simulator *s, const struct term *term, struct row *row);
    enum task_object_kind of_kind, to_kind;
    int                   of, to;    // ids in the model, -1: none
    double                weight;    // rewards
    double                range[2];  // terminations
    double                before;    // x before the step, for forward_velocity
    bool                  alive;     // counts only while not terminated
};

// Binds a term that task_term_check has passed: looks its objects up in the model.
//
//   problem  (size) out, "" when all is well: "the model has no body torso"
void term_bind(struct term *term, const struct task_term *spec, const struct simulator *s,
               char *problem, size_t size);

// Says whether a term of that name needs the contact forces of mj_rnePostConstraint.
bool term_needs_forces(const char *name);

// To be called before each step, for what changes over it.
void term_before(struct term *term, const struct simulator *s);

// The one number of a reward or termination term.
double term_value(const struct term *term, const struct simulator *s);

#endif
