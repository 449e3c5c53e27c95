#include "actor/env/term.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

// ------ places

static const double *place(const struct simulator *s, enum task_object_kind kind, int id)
{
    return (kind == TASK_SITE ? s->d->site_xpos : s->d->xpos) + 3 * id;
}

static const double *place_of(const struct simulator *s, const struct term *term)
{
    return place(s, term->of_kind, term->of);
}

static const double *place_to(const struct simulator *s, const struct term *term)
{
    return place(s, term->to_kind, term->to);
}

static void read_position(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put(row, place_of(s, term), 3);
}

static void read_offset(const struct simulator *s, const struct term *term, struct row *row)
{
    const double *from = place_of(s, term), *to = place_to(s, term);
    for (int i = 0; i < 3; i++)
        row_put_one(row, to[i] - from[i]);
}

static void read_distance(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_one(row, distance(place_of(s, term), place_to(s, term)));
}

static void read_x(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_one(row, place_of(s, term)[0]);
}

static void read_y(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_one(row, place_of(s, term)[1]);
}

static void read_height(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_one(row, place_of(s, term)[2]);
}

static void read_forward_velocity(const struct simulator *s, const struct term *term,
                                  struct row *row)
{
    row_put_one(row, (place_of(s, term)[0] - term->before) / s->dt);
}

// ------ bodies

static void read_velocity(const struct simulator *s, const struct term *term, struct row *row)
{
    double v[6];  // rotation, translation
    mj_objectVelocity(s->m, s->d, mjOBJ_XBODY, term->of, v, 0);
    row_put(row, v + 3, 3);
}

static void read_angular_velocity(const struct simulator *s, const struct term *term,
                                  struct row *row)
{
    double v[6];
    mj_objectVelocity(s->m, s->d, mjOBJ_XBODY, term->of, v, 1);
    row_put(row, v, 3);
}

// the third column of a body's rotation matrix is its z axis
static void read_up(const struct simulator *s, const struct term *term, struct row *row)
{
    const double *matrix = s->d->xmat + 9 * term->of;
    row_put_one(row, matrix[2]);
    row_put_one(row, matrix[5]);
    row_put_one(row, matrix[8]);
}

static void read_upright(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_one(row, s->d->xmat[9 * term->of + 8]);
}

static void read_contact(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_clipped(row, s->d->cfrc_ext + 6 * term->of, 6, -1, 1);
}

static void read_contact_cost(const struct simulator *s, const struct term *term, struct row *row)
{
    (void)term;
    row_put_one(row, -sum_squares(s->d->cfrc_ext, 6 * s->nbody, -1, 1));
}

// ------ joints, controls, sensors

static size_t width_of(const struct simulator *s, int joint, bool velocity)
{
    switch (s->m->jnt_type[joint]) {
    case mjJNT_FREE:
        return velocity ? 6 : 7;
    case mjJNT_BALL:
        return velocity ? 3 : 4;
    default:
        return 1;
    }
}

static void read_qpos(const struct simulator *s, const struct term *term, struct row *row)
{
    if (term->of < 0)
        row_put(row, s->d->qpos, s->nq);
    else
        row_put(row, s->d->qpos + s->m->jnt_qposadr[term->of], width_of(s, term->of, false));
}

static void read_qvel(const struct simulator *s, const struct term *term, struct row *row)
{
    if (term->of < 0)
        row_put(row, s->d->qvel, s->nv);
    else
        row_put(row, s->d->qvel + s->m->jnt_dofadr[term->of], width_of(s, term->of, true));
}

static void read_joint(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_one(row, s->d->qpos[s->m->jnt_qposadr[term->of]]);
}

static void read_speed(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put_one(row, s->d->qvel[s->m->jnt_dofadr[term->of]]);
}

static void read_speed_cost(const struct simulator *s, const struct term *term, struct row *row)
{
    const double *x = term->of < 0 ? s->d->qvel : s->d->qvel + s->m->jnt_dofadr[term->of];
    size_t        n = term->of < 0 ? s->nv : width_of(s, term->of, true);
    row_put_one(row, -sum_squares(x, n, -mjMAXVAL, mjMAXVAL));
}

static void read_control_cost(const struct simulator *s, const struct term *term, struct row *row)
{
    (void)term;
    row_put_one(row, -sum_squares(s->d->ctrl, s->nu, -mjMAXVAL, mjMAXVAL));
}

static void read_joint_limits(const struct simulator *s, const struct term *term, struct row *row)
{
    (void)term;
    double n = 0;
    for (int i = 0; i < s->m->njnt; i++) {
        const double *range = s->m->jnt_range + 2 * i, margin = 0.05 * (range[1] - range[0]);
        double        q = s->d->qpos[s->m->jnt_qposadr[i]];
        if (s->m->jnt_limited[i] && width_of(s, i, false) == 1)
            n += q < range[0] + margin || q > range[1] - margin;
    }
    row_put_one(row, -n);
}

static void read_sensor(const struct simulator *s, const struct term *term, struct row *row)
{
    row_put(row, s->d->sensordata + s->m->sensor_adr[term->of], (size_t)s->m->sensor_dim[term->of]);
}

static void read_alive(const struct simulator *s, const struct term *term, struct row *row)
{
    (void)s;
    (void)term;
    row_put_one(row, 1);
}

// ------ binding

static const struct {
    const char *name;
    void (*read)(const struct simulator *s, const struct term *term, struct row *row);
} readers[] = {
    {"qpos", read_qpos},
    {"qvel", read_qvel},
    {"position", read_position},
    {"velocity", read_velocity},
    {"angular_velocity", read_angular_velocity},
    {"up", read_up},
    {"offset", read_offset},
    {"contact", read_contact},
    {"sensor", read_sensor},
    {"x", read_x},
    {"y", read_y},
    {"height", read_height},
    {"upright", read_upright},
    {"distance", read_distance},
    {"joint", read_joint},
    {"speed", read_speed},
    {"alive", read_alive},
    {"forward_velocity", read_forward_velocity},
    {"control_cost", read_control_cost},
    {"contact_cost", read_contact_cost},
    {"speed_cost", read_speed_cost},
    {"joint_limits", read_joint_limits},
};

// -1 and a problem if the model has no such object
static int find(const struct simulator *s, const struct task_object *object, char *problem,
                size_t size)
{
    static const struct {
        enum task_object_kind kind;
        mjtObj                type;
        const char           *word;
    } kinds[] = {
        {TASK_BODY, mjOBJ_BODY, "body"},
        {TASK_SITE, mjOBJ_SITE, "site"},
        {TASK_JOINT, mjOBJ_JOINT, "joint"},
        {TASK_SENSOR, mjOBJ_SENSOR, "sensor"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (object->kind != kinds[i].kind)
            continue;
        int id = mj_name2id(s->m, (int)kinds[i].type, object->name);
        if (id < 0)
            snprintf(problem, size, "the model has no %s %s", kinds[i].word, object->name);
        return id;
    }
    return -1;
}

// the terms that read one number of a joint
static bool wants_one_number(const struct term *term)
{
    return term->read == read_joint || term->read == read_speed;
}

void term_bind(struct term *term, const struct task_term *spec, const struct simulator *s,
               char *problem, size_t size)
{
    *term = (struct term){
        .of_kind = spec->of.kind,
        .to_kind = spec->to.kind,
        .weight = spec->weight,
        .range = {spec->range[0], spec->range[1]},
        .alive = strcmp(spec->term, "alive") == 0,
    };
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (strcmp(readers[i].name, spec->term) == 0)
            term->read = readers[i].read;
    assert(term->read != NULL);
    problem[0] = '\0';
    term->of = find(s, &spec->of, problem, size);
    if (problem[0] == '\0')
        term->to = find(s, &spec->to, problem, size);
    if (problem[0] == '\0' && wants_one_number(term) && width_of(s, term->of, false) != 1)
        snprintf(problem, size, "joint %s is neither a hinge nor a slide", spec->of.name);
}

bool term_needs_forces(const char *name)
{
    return strcmp(name, "contact") == 0 || strcmp(name, "contact_cost") == 0;
}

void term_before(struct term *term, const struct simulator *s)
{
    if (term->read == read_forward_velocity)
        term->before = place_of(s, term)[0];
}

double term_value(const struct term *term, const struct simulator *s)
{
    double     value = 0;
    struct row row = {.x = &value};
    term->read(s, term, &row);
    assert(row.n == 1);
    return value;
}
