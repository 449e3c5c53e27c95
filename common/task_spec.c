#include "common/task_spec.h"

#include <stdio.h>
#include <string.h>

enum {
    OBSERVE = TASK_OBSERVATION,
    REWARD = TASK_REWARD,
    ANY = TASK_OBSERVATION | TASK_REWARD | TASK_TERMINATION,
    PLACE = TASK_BODY | TASK_SITE,
};

// clang-format off
static const struct task_term_info terms[] = {
    {"qpos", OBSERVE, TASK_JOINT | TASK_OPTIONAL, 0, "positions of all joints, or of one"},
    {"qvel", OBSERVE, TASK_JOINT | TASK_OPTIONAL, 0, "velocities of all joints, or of one"},
    {"position", OBSERVE, PLACE, 0, "x, y, z in the world, m"},
    {"velocity", OBSERVE, TASK_BODY, 0, "linear velocity in the world, m/s, of the body's frame"},
    {"angular_velocity", OBSERVE, TASK_BODY, 0, "in the body's own frame, rad/s (a gyroscope)"},
    {"up", OBSERVE, TASK_BODY, 0, "the body's z axis in the world: (0, 0, 1) when upright"},
    {"offset", OBSERVE, PLACE, PLACE, "vector from `of` to `to` in the world, m"},
    {"contact", OBSERVE, TASK_BODY, 0, "torque and force of contacts (6), each clipped to +-1"},
    {"sensor", OBSERVE, TASK_SENSOR, 0, "numbers of a sensor of the model"},
    {"x", ANY, PLACE, 0, "x in the world, m"},
    {"y", ANY, PLACE, 0, "y in the world, m"},
    {"height", ANY, PLACE, 0, "z in the world, m"},
    {"upright", ANY, TASK_BODY, 0, "cosine of the tilt of the body's z axis: 1 upright, -1 upside down"},
    {"distance", ANY, PLACE, PLACE, "from `of` to `to`, m; a reward wants a negative weight"},
    {"joint", ANY, TASK_JOINT, 0, "position of a hinge (rad) or slide (m)"},
    {"speed", ANY, TASK_JOINT, 0, "velocity of a hinge (rad/s) or slide (m/s)"},
    {"alive", REWARD, 0, 0, "1 in each step that does not terminate"},
    {"forward_velocity", REWARD, PLACE, 0, "change of x a second, m/s"},
    {"control_cost", REWARD, 0, 0, "-(sum of squared actions), in the actuators' units"},
    {"contact_cost", REWARD, 0, 0, "-(sum of squared contact forces, each clipped to +-1)"},
    {"speed_cost", REWARD, TASK_JOINT | TASK_OPTIONAL, 0, "-(sum of squared joint velocities)"},
    {"joint_limits", REWARD, 0, 0, "-(number of limited joints within 5 % of an end of their range)"},
};
// clang-format on

const struct task_term_info *task_term_info(size_t i)
{
    return i < sizeof terms / sizeof terms[0] ? &terms[i] : NULL;
}

static const struct task_term_info *find(const char *name, enum task_section section)
{
    for (size_t i = 0; task_term_info(i) != NULL; i++)
        if (strcmp(terms[i].name, name) == 0 && (terms[i].sections & section))
            return &terms[i];
    return NULL;
}

static void list_terms(char *problem, size_t size, const char *name, enum task_section section)
{
    size_t used = (size_t)snprintf(problem, size, "there is no term \"%s\" here, allowed:", name);
    for (size_t i = 0; task_term_info(i) != NULL && used < size; i++)
        if (terms[i].sections & section)
            used += (size_t)snprintf(problem + used, size - used, " %s", terms[i].name);
}

// says which keys a set of objects stands for
static void list_objects(char *problem, size_t size, const char *term, unsigned set,
                         const char *prefix)
{
    static const struct {
        unsigned    kind;
        const char *key;
    } keys[] = {
        {TASK_BODY, "body"}, {TASK_SITE, "site"}, {TASK_JOINT, "joint"}, {TASK_SENSOR, "sensor"}};
    size_t used = (size_t)snprintf(problem, size, "%s %s", term,
                                   set == 0 ? "takes no such key" : "needs one of the keys");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && used < size; i++)
        if (set & keys[i].kind)
            used += (size_t)snprintf(problem + used, size - used, " %s%s", prefix, keys[i].key);
}

static int fits(const struct task_object *object, unsigned set)
{
    if (object->kind == TASK_NOTHING)
        return set == 0 || (set & TASK_OPTIONAL) != 0;
    return (set & object->kind) != 0;
}

void task_term_check(const struct task_term *term, enum task_section section, char *problem,
                     size_t size)
{
    const struct task_term_info *info = find(term->term, section);
    problem[0] = '\0';
    if (info == NULL)
        list_terms(problem, size, term->term, section);
    else if (!fits(&term->of, info->of))
        list_objects(problem, size, term->term, info->of, "");
    else if (!fits(&term->to, info->to))
        list_objects(problem, size, term->term, info->to, "to_");
    else if (section == TASK_TERMINATION && !(term->range[0] <= term->range[1]))
        snprintf(problem, size, "range must be [low, high] with low <= high");
}
