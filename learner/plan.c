#include "learner/plan.h"

#include <inttypes.h>
#include <math.h>

// bytes beside the rows: a TRANSITIONS with ZeroMQ's frame and CURVE's, the CREDIT that answers, and
// TCP/IP's heads of both
#define BLOCK_BYTES 200.0
#define LEARNER_BYTES 40e6  // programs, libraries, buffers
#define PEER_BYTES 2048.0   // what the learner knows of an actor

static double ratio(const struct plan_input *in)
{
    return in->p > 0 ? (double)in->p / (double)in->q : 0;
}

static double per(double amount, double each)
{
    return each > 0 ? amount / each : INFINITY;
}

static double message_bytes(const struct plan_input *in)
{
    // a turn of an actor sends what its environments made, in blocks
    double rows = (double)(in->envs < in->block_rows ? in->envs : in->block_rows);
    return (double)in->row_bytes + BLOCK_BYTES / fmax(1, rows);
}

// broadcasts a second at F: there is nothing new without updates
static double publishes(const struct plan_input *in, double frames)
{
    return fmin(frames * ratio(in), per(1, in->publish_interval_s));
}

// F at which rows fill the wire; links carry both ways at once, so weights do not count
static double wire_limit(const struct plan_input *in)
{
    return in->remote ? in->wire_bits_per_s / 8 / message_bytes(in) : INFINITY;
}

void plan_make(struct plan *plan, const struct plan_input *in)
{
    double r = ratio(in), N = (double)in->actors;
    double shared = (double)in->threads * r * in->update_s + in->row_s;
    *plan = (struct plan){0};
    plan->limit[PLAN_ACTORS] = per(N, in->step_s);
    plan->limit[PLAN_LEARNER] = per(1, r * in->update_s);
    plan->limit[PLAN_ROWS] = per(1, in->row_s);
    plan->limit[PLAN_CORES] = per((double)in->cores, shared + (in->remote ? 0 : in->step_s));
    plan->limit[PLAN_WIRE] = wire_limit(in);

    double others = INFINITY;  // what all but the number of actors allow
    plan->bottleneck = PLAN_ACTORS;
    for (int i = 0; i < PLAN_LIMITS; i++) {
        if (plan->limit[i] < plan->limit[plan->bottleneck])
            plan->bottleneck = (enum plan_limit)i;
        if (i != PLAN_ACTORS)
            others = fmin(others, plan->limit[i]);
    }
    double F = plan->limit[plan->bottleneck];
    plan->frames_per_s = F;
    plan->updates_per_s = F * r;
    plan->actors_busy = F * in->step_s / N;
    plan->learner_busy = F * r * in->update_s;
    plan->efficiency = F / plan->limit[PLAN_ACTORS];
    plan->publishes_per_s = publishes(in, F);
    plan->bits_in = 8 * F * message_bytes(in);
    plan->bits_out = 8 * plan->publishes_per_s * N * (double)in->weights_bytes;
    plan->publish_least_s =
        in->remote ? 8 * N * (double)in->weights_bytes / in->wire_bits_per_s : 0;
    double warm = (double)(in->start < in->max_frame ? in->start : in->max_frame);
    // nobody updates while it warms up
    double fast = fmin(plan->limit[PLAN_ACTORS],
                       per((double)in->cores, in->row_s + (in->remote ? 0 : in->step_s)));
    plan->seconds = warm / fast + ((double)in->max_frame - warm) / F;
    plan->flight_bytes = N * (double)in->credit_window * (double)in->row_bytes;
    plan->learner_bytes = LEARNER_BYTES + (double)in->replay_rows * (double)in->row_bytes +
                          (double)in->network_bytes + N * PEER_BYTES + plan->flight_bytes;
    double most = floor(fmin(others * in->step_s, (double)in->max_actors));
    plan->feeds = most >= 1 ? (uint64_t)most : 0;
}

// ---------------------------------------------------------------- output

const char *plan_limit_name(enum plan_limit limit)
{
    static const char *const names[] = {"the actors", "the learner's updates",
                                        "the learner's network thread", "the cores", "the network"};
    return names[limit];
}

static const char *advice(enum plan_limit limit)
{
    static const char *const texts[] = {
        "More actors make it faster, in proportion.",
        "More actors make nothing faster: fewer updates a step or smaller networks do.",
        "More actors make nothing faster: the learner takes no more rows a second.",
        "More actors make nothing faster here: move actors to other machines, or take more cores.",
        "More actors make nothing faster: a faster link does.",
    };
    return texts[limit];
}

static void print_amount(FILE *out, const char *what, double value, const char *unit)
{
    if (isinf(value))
        fprintf(out, "  %-28s %12s\n", what, "any");
    else
        fprintf(out, "  %-28s %12.*f%s%s\n", what, value < 100 ? 2 : 0, value,
                unit[0] != 0 ? " " : "", unit);
}

void plan_print(FILE *out, const struct plan *plan, const struct plan_input *in, const char *task)
{
    fprintf(out,
            "%s, %" PRIu64 " actors of %" PRIu64 " environments %s, %" PRIu64
            " cores for the learner%s, %" PRIu64 "/%" PRIu64 " updates a step\n\n",
            task, in->actors, in->envs, in->remote ? "on other machines" : "on this machine",
            in->cores, in->remote ? "" : " and them", in->p, in->q);
    fputs("given\n", out);
    print_amount(out, "an actor alone", per(1, in->step_s), "steps/s");
    print_amount(out, "updates alone", per(1, in->update_s), "updates/s");
    fprintf(out, "  %-28s %12" PRIu64 " bytes, weights %" PRIu64 "\n", "a row", in->row_bytes,
            in->weights_bytes);
    fputs("\nallowed, steps/s\n", out);
    for (int i = 0; i < PLAN_LIMITS; i++)
        print_amount(out, plan_limit_name((enum plan_limit)i), plan->limit[i],
                     i == (int)plan->bottleneck ? "<- least" : "");
    fputs("\nexpected\n", out);
    print_amount(out, "environment steps", plan->frames_per_s, "/s");
    print_amount(out, "updates", plan->updates_per_s, "/s");
    print_amount(out, "actors busy", 100 * plan->actors_busy, "%");
    print_amount(out, "learner busy", 100 * plan->learner_busy, "%");
    print_amount(out, "into the learner", plan->bits_in / 1e6, "Mbit/s");
    print_amount(out, "out of it", plan->bits_out / 1e6, "Mbit/s");
    print_amount(out, "learner's memory", plan->learner_bytes / 1e6, "MB");
    print_amount(out, "the whole run", plan->seconds, "s");
    if (plan->feeds > 0)
        fprintf(out, "  %-28s %12" PRIu64 "\n", "actors that it keeps busy", plan->feeds);
    else
        fprintf(out, "  %-28s %12s\n", "actors that it keeps busy", "less than 1");
    fprintf(out, "\nThe bottleneck: %s. %s\n", plan_limit_name(plan->bottleneck),
            advice(plan->bottleneck));
    if (in->remote && plan->bits_out > in->wire_bits_per_s)
        fprintf(out,
                "Weights fill the link and come late: cluster.publish_interval_s=%.2g or more.\n",
                plan->publish_least_s);
    if (in->actors > in->max_actors)
        fprintf(out, "cluster.max_actors is %" PRIu64 ": the learner refuses the others.\n",
                in->max_actors);
}

static void json(FILE *out, const char *key, double value)
{
    if (isfinite(value))
        fprintf(out, ",\"%s\":%.10g", key, value);
    else
        fprintf(out, ",\"%s\":null", key);
}

void plan_print_json(FILE *out, const struct plan *plan, const struct plan_input *in,
                     const char *task)
{
    static const char *const limits[] = {"actors", "learner", "rows", "cores", "wire"};
    fprintf(out,
            "{\"task\":\"%s\",\"actors\":%" PRIu64 ",\"envs\":%" PRIu64 ",\"cores\":%" PRIu64
            ",\"threads\":%" PRIu64 ",\"remote\":%s,\"p\":%" PRIu64 ",\"q\":%" PRIu64,
            task, in->actors, in->envs, in->cores, in->threads, in->remote ? "true" : "false",
            in->p, in->q);
    json(out, "actor_steps_per_s", per(1, in->step_s));
    json(out, "learner_updates_per_s", per(1, in->update_s));
    json(out, "learner_rows_per_s", per(1, in->row_s));
    json(out, "row_bytes", (double)in->row_bytes);
    json(out, "weights_bytes", (double)in->weights_bytes);
    fputs(",\"limit\":{", out);
    for (int i = 0; i < PLAN_LIMITS; i++) {
        fprintf(out, "%s\"%s\":", i > 0 ? "," : "", limits[i]);
        if (isfinite(plan->limit[i]))
            fprintf(out, "%.10g", plan->limit[i]);
        else
            fputs("null", out);
    }
    fprintf(out, "},\"bottleneck\":\"%s\"", limits[plan->bottleneck]);
    json(out, "frames_per_s", plan->frames_per_s);
    json(out, "updates_per_s", plan->updates_per_s);
    json(out, "actors_busy", plan->actors_busy);
    json(out, "learner_busy", plan->learner_busy);
    json(out, "efficiency", plan->efficiency);
    json(out, "bits_in_per_s", plan->bits_in);
    json(out, "bits_out_per_s", plan->bits_out);
    json(out, "publish_least_s", plan->publish_least_s);
    json(out, "learner_bytes", plan->learner_bytes);
    json(out, "seconds", plan->seconds);
    json(out, "actors_fed", (double)plan->feeds);
    fputs("}\n", out);
}
