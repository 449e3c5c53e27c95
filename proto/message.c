#include "proto/message.h"

#include <assert.h>
#include <limits.h>
#include <msgpack.h>
#include <string.h>

// ------ what a message is made of

enum field_type { FIELD_UINT, FIELD_BOOL, FIELD_DOUBLE, FIELD_TEXT, FIELD_SPAN };

static const char *const field_types[] = {"uint", "bool", "float 64", "str", "bin"};

struct field {
    const char     *name;
    enum field_type type;
    size_t          offset;  // in struct message
    uint64_t        max;     // UINT: largest value; TEXT, SPAN: most bytes
    const char     *help;
};

#define UINT(at, max, help)                                                                        \
    {                                                                                              \
#at, FIELD_UINT, offsetof(struct message, at), max, help                                   \
    }
#define BOOL(at, help)                                                                             \
    {                                                                                              \
#at, FIELD_BOOL, offsetof(struct message, at), 1, help                                     \
    }
#define DOUBLE(at, help)                                                                           \
    {                                                                                              \
#at, FIELD_DOUBLE, offsetof(struct message, at), 0, help                                   \
    }
#define TEXT(at, size, help)                                                                       \
    {                                                                                              \
#at, FIELD_TEXT, offsetof(struct message, at), (size)-1, help                              \
    }
#define SPAN(at, max, help)                                                                        \
    {                                                                                              \
#at, FIELD_SPAN, offsetof(struct message, at), max, help                                   \
    }
#define EPISODES_BYTES (MESSAGE_EPISODES_MAX * sizeof(struct episode))

static const struct field hello_fields[] = {
    UINT(hello.protocol, UINT64_MAX, "protocol version, 2"),
    TEXT(hello.name, MESSAGE_NAME, "1 to 63 of A-Z a-z 0-9 . _ -"),
    UINT(hello.role, ROLE_EVALUATOR, "0 actor, 1 evaluator"),
    TEXT(hello.host, MESSAGE_NAME, "machine, for people"),
    UINT(hello.run_id, UINT64_MAX, "of the WELCOME this process got before, else 0"),
    UINT(hello.slot, UINT32_MAX, "likewise"),
    UINT(hello.incarnation, UINT64_MAX, "likewise"),
};

static const struct field welcome_fields[] = {
    UINT(welcome.run_id, UINT64_MAX, "one training run, kept by a resume"),
    UINT(welcome.learner_incarnation, UINT64_MAX, "grows by one a start of the learner"),
    UINT(welcome.slot, UINT32_MAX, "actors 0, 1, ...; evaluators above all actors"),
    UINT(welcome.incarnation, UINT64_MAX, "of the slot; goes into every TRANSITIONS"),
    UINT(welcome.acknowledged, UINT64_MAX, "rows of this incarnation that are in"),
    UINT(welcome.seed, UINT64_MAX, "of the random streams"),
    UINT(welcome.max_rows, UINT32_MAX, "most rows in one TRANSITIONS"),
    SPAN(welcome.spec, MESSAGE_SPEC_MAX, "resolved spec, YAML"),
    SPAN(welcome.assets, MESSAGE_ASSETS_MAX, "model files of a custom task, or empty"),
};

static const struct field refused_fields[] = {
    UINT(refused.code, REFUSED_INVALID, "why, see above"),
    TEXT(refused.reason, MESSAGE_REASON, "for people"),
};

static const struct field ready_fields[] = {
    TEXT(ready.task, MESSAGE_NAME, "env.name of the spec"),
    UINT(ready.obs, UINT32_MAX, "O, size of an observation"),
    UINT(ready.action, UINT32_MAX, "A, dimensions, or choices if discrete"),
    BOOL(ready.discrete, "actions are indices"),
    UINT(ready.spec_hash, UINT32_MAX, "crc32c of the resolved spec"),
    UINT(ready.max_steps, UINT64_MAX, "time limit of an episode"),
    DOUBLE(ready.threshold, "return that solves the task, NaN: none"),
    SPAN(ready.low, 4096, "(A) float64, lower bounds; empty if discrete"),
    SPAN(ready.high, 4096, "(A) float64, upper bounds; empty if discrete"),
};

static const struct field credit_fields[] = {
    UINT(credit.granted, UINT64_MAX, "rows 1 ... granted may be sent"),
    UINT(credit.acknowledged, UINT64_MAX, "rows 1 ... acknowledged are in"),
    BOOL(credit.resend, "send again from acknowledged + 1"),
    UINT(credit.min_version, UINT64_MAX, "act with this version or newer, 0: any"),
    UINT(credit.epoch, UINT64_MAX, "lock-step: another number starts every environment anew"),
};

static const struct field transitions_fields[] = {
    UINT(transitions.slot, UINT32_MAX, "from WELCOME"),
    UINT(transitions.incarnation, UINT64_MAX, "from WELCOME"),
    UINT(transitions.first, UINT64_MAX, "number of the first row; an incarnation starts at 1"),
    UINT(transitions.n, UINT32_MAX, "rows, at least 1"),
    SPAN(transitions.rows, MESSAGE_ROWS_MAX, "(n, words) of 4 bytes: proto/transition.h"),
};

static const struct field episodes_fields[] = {
    SPAN(episodes.list, EPISODES_BYTES, "16 bytes each: float64 return, uint32 steps, float32 s"),
};

static const struct field stats_fields[] = {
    DOUBLE(stats.steps_per_s, "environment steps a second"),
    UINT(stats.env_broken, UINT64_MAX, "bad simulator states thrown away, total"),
    UINT(stats.version, UINT64_MAX, "weights in use"),
    DOUBLE(stats.weights_age_s, "seconds since weights came"),
    UINT(stats.wait_ms, UINT64_MAX, "waited for credit, total"),
    UINT(stats.weights_bad, UINT64_MAX, "frames of weights that were not taken, total"),
};

static const struct field eval_request_fields[] = {
    UINT(eval_request.version, UINT64_MAX, "of the weights"),
    UINT(eval_request.timesteps, UINT64_MAX, "that the version belongs to"),
    UINT(eval_request.episodes, MESSAGE_EPISODES_MAX, "to play, deterministic policy"),
    UINT(eval_request.seed, UINT64_MAX, "of the resets"),
    SPAN(eval_request.weights, MESSAGE_WEIGHTS_MAX, "float32, as in WEIGHTS"),
};

static const struct field eval_result_fields[] = {
    UINT(eval_result.version, UINT64_MAX, "from EVAL_REQUEST"),
    UINT(eval_result.timesteps, UINT64_MAX, "from EVAL_REQUEST"),
    UINT(eval_result.seed, UINT64_MAX, "from EVAL_REQUEST"),
    SPAN(eval_result.list, EPISODES_BYTES, "as in EPISODES"),
};

static const struct field heartbeat_fields[] = {
    UINT(heartbeat.stamp, UINT64_MAX, "sender's; the answer carries the same"),
    BOOL(heartbeat.answer, "this is the answer"),
};

static const struct field bye_fields[] = {
    UINT(bye.last, UINT64_MAX, "rows sent in all"),
};

static const struct field bye_ack_fields[] = {
    UINT(bye_ack.last, UINT64_MAX, "rows of this incarnation that are in"),
};

static const struct field stop_fields[] = {
    TEXT(stop.reason, MESSAGE_REASON, "for people"),
    BOOL(stop.returns, "the run goes on later: an actor elsewhere says HELLO again until it does"),
};

static const struct field weights_fields[] = {
    UINT(weights.run_id, UINT64_MAX, "from WELCOME"),
    UINT(weights.learner_incarnation, UINT64_MAX, "from WELCOME"),
    UINT(weights.version, UINT64_MAX, "grows within an incarnation"),
    UINT(weights.crc, UINT32_MAX, "crc32c of the three above as 8-byte words, then the floats"),
    SPAN(weights.floats, MESSAGE_WEIGHTS_MAX, "float32: the policy's parameters"),
};

struct layout {
    const char         *name;
    const struct field *fields;
    size_t              n;
};

#define LAYOUT(name, fields)                                                                       \
    {                                                                                              \
        name, fields, sizeof fields / sizeof fields[0]                                             \
    }

static const struct layout layouts[MESSAGE_KINDS] = {
    [MESSAGE_HELLO] = LAYOUT("HELLO", hello_fields),
    [MESSAGE_WELCOME] = LAYOUT("WELCOME", welcome_fields),
    [MESSAGE_REFUSED] = LAYOUT("REFUSED", refused_fields),
    [MESSAGE_READY] = LAYOUT("READY", ready_fields),
    [MESSAGE_CREDIT] = LAYOUT("CREDIT", credit_fields),
    [MESSAGE_TRANSITIONS] = LAYOUT("TRANSITIONS", transitions_fields),
    [MESSAGE_EPISODES] = LAYOUT("EPISODES", episodes_fields),
    [MESSAGE_STATS] = LAYOUT("STATS", stats_fields),
    [MESSAGE_EVAL_REQUEST] = LAYOUT("EVAL_REQUEST", eval_request_fields),
    [MESSAGE_EVAL_RESULT] = LAYOUT("EVAL_RESULT", eval_result_fields),
    [MESSAGE_HEARTBEAT] = LAYOUT("HEARTBEAT", heartbeat_fields),
    [MESSAGE_BYE] = LAYOUT("BYE", bye_fields),
    [MESSAGE_BYE_ACK] = LAYOUT("BYE_ACK", bye_ack_fields),
    [MESSAGE_STOP] = LAYOUT("STOP", stop_fields),
    [MESSAGE_WEIGHTS] = LAYOUT("WEIGHTS", weights_fields),
};

static const struct layout *layout_of(uint64_t kind)
{
    return kind >= MESSAGE_HELLO && kind < MESSAGE_KINDS ? &layouts[kind] : NULL;
}

const char *message_name(enum message_kind kind)
{
    const struct layout *layout = layout_of((uint64_t)kind);
    return layout == NULL ? "?" : layout->name;
}

const char *message_field(enum message_kind kind, size_t i, const char **type, const char **help)
{
    const struct layout *layout = layout_of((uint64_t)kind);
    if (layout == NULL || i >= layout->n)
        return NULL;
    *type = field_types[layout->fields[i].type];
    *help = layout->fields[i].help;
    return strchr(layout->fields[i].name, '.') + 1;
}

// ------ encoding

struct writer {
    char  *out;
    size_t size, capacity;
};

static int writer_write(void *context, const char *data, size_t n)
{
    struct writer *w = context;
    if (n > w->capacity - w->size)
        return -1;
    memcpy(w->out + w->size, data, n);
    w->size += n;
    return 0;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static int text_encode(msgpack_packer *packer, const char *text)
{
    char   plain[MESSAGE_REASON];
    size_t n = strlen(text);
    assert(n < sizeof plain);
    for (size_t i = 0; i < n; i++)
        plain[i] = is_control((unsigned char)text[i]) ? ' ' : text[i];
    return msgpack_pack_str(packer, n) < 0 ? -1 : msgpack_pack_str_body(packer, plain, n);
}

static int field_encode(msgpack_packer *packer, const struct field *f, const struct message *m)
{
    const void        *at = (const char *)m + f->offset;
    const struct span *span = at;
    switch (f->type) {
    case FIELD_UINT:
        return msgpack_pack_uint64(packer, *(const uint64_t *)at);
    case FIELD_BOOL:
        return *(const bool *)at ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
    case FIELD_DOUBLE:
        return msgpack_pack_double(packer, *(const double *)at);
    case FIELD_TEXT:
        return text_encode(packer, at);
    default:
        if (msgpack_pack_bin(packer, span->size) < 0)
            return -1;
        // an empty span may have no address
        return span->size == 0 ? 0 : msgpack_pack_bin_body(packer, span->data, span->size);
    }
}

size_t message_encode(void *out, size_t capacity, const struct message *m)
{
    const struct layout *layout = layout_of(m->kind);
    assert(layout != NULL);
    struct writer  w = {.out = out, .capacity = capacity};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &w, writer_write);
    if (msgpack_pack_array(&packer, layout->n + 1) < 0 || msgpack_pack_uint64(&packer, m->kind) < 0)
        return 0;
    for (size_t i = 0; i < layout->n; i++)
        if (field_encode(&packer, &layout->fields[i], m) < 0)
            return 0;
    return w.size;
}

// ------ checking a frame before the unpacker sees it

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

// Bytes of the scalar, str or bin that starts at p, of which `left` (>= 1) bytes are there; 0 when
// it is cut off or is of a type that no message has (arrays, maps, extensions).
static size_t item_size(const uint8_t *p, size_t left)
{
    uint8_t  head = p[0];
    size_t   length = 0;  // bytes of the length field
    uint64_t body = 0;
    if (head <= 0x7f || head >= 0xe0 || head == 0xc2 || head == 0xc3)
        body = 0;
    else if (head >= 0xa0 && head <= 0xbf)
        body = head & 0x1fu;
    else if (head >= 0xca && head <= 0xcb)
        body = head == 0xca ? 4 : 8;
    else if (head >= 0xcc && head <= 0xcf)
        body = 1u << (head - 0xcc);
    else if (head >= 0xd0 && head <= 0xd3)
        body = 1u << (head - 0xd0);
    else if (head >= 0xc4 && head <= 0xc6)
        length = (size_t)1 << (head - 0xc4);
    else if (head >= 0xd9 && head <= 0xdb)
        length = (size_t)1 << (head - 0xd9);
    else
        return 0;
    if (length > left - 1)
        return 0;
    body += big_endian(p + 1, length);
    return body > left - 1 - length ? 0 : 1 + length + (size_t)body;
}

// Says whether data is one array of 1 to 15 flat items and nothing else: then unpacking allocates a
// few hundred bytes whatever the lengths say.
static bool frame_is_flat(const uint8_t *data, size_t size)
{
    if (size < 2 || (data[0] & 0xf0) != 0x90 || data[0] == 0x90)
        return false;
    size_t at = 1;
    for (int i = data[0] & 0x0f; i > 0; i--) {
        size_t n = at < size ? item_size(data + at, size - at) : 0;
        if (n == 0)
            return false;
        at += n;
    }
    return at == size;
}

// ------ decoding

// texts end up in logs and on terminals
static bool text_is_plain(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_control((unsigned char)text[i]))
            return false;
    return true;
}

static bool field_decode(struct message *m, const struct field *f, const msgpack_object *o)
{
    void        *at = (char *)m + f->offset;
    struct span *span = at;
    switch (f->type) {
    case FIELD_UINT:
        if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > f->max)
            return false;
        *(uint64_t *)at = o->via.u64;
        return true;
    case FIELD_BOOL:
        if (o->type != MSGPACK_OBJECT_BOOLEAN)
            return false;
        *(bool *)at = o->via.boolean;
        return true;
    case FIELD_DOUBLE:
        if (o->type != MSGPACK_OBJECT_FLOAT64)
            return false;
        *(double *)at = o->via.f64;
        return true;
    case FIELD_TEXT:
        if (o->type != MSGPACK_OBJECT_STR || o->via.str.size > f->max ||
            !text_is_plain(o->via.str.ptr, o->via.str.size))
            return false;
        // an empty text may have no address
        if (o->via.str.size > 0)
            memcpy(at, o->via.str.ptr, o->via.str.size);
        ((char *)at)[o->via.str.size] = '\0';
        return true;
    default:
        if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size > f->max)
            return false;
        *span = (struct span){o->via.bin.ptr, o->via.bin.size};
        return true;
    }
}

static int field_error(const struct field *f, const msgpack_object *o, struct error *err)
{
    if (f->type == FIELD_UINT && o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return error_set(err, ERR_FORMAT, "%s is %llu, this side knows at most %llu", f->name,
                         (unsigned long long)o->via.u64, (unsigned long long)f->max);
    return error_set(err, ERR_FORMAT, "%s: wrong type or size", f->name);
}

static int object_decode(struct message *m, const msgpack_object_array *array, struct error *err)
{
    const msgpack_object *kind = &array->ptr[0];
    const struct layout  *layout =
        kind->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? layout_of(kind->via.u64) : NULL;
    if (layout == NULL)
        return error_set(err, ERR_FORMAT, "no such kind of message");
    m->kind = (enum message_kind)kind->via.u64;
    // a HELLO of another protocol may have other fields, and must still get a fitting answer
    if (m->kind == MESSAGE_HELLO && array->size >= 2 &&
        field_decode(m, &hello_fields[0], &array->ptr[1]) && m->hello.protocol != MESSAGE_PROTOCOL)
        return error_set(err, ERR_VERSION, "HELLO of protocol %llu, this side speaks %d",
                         (unsigned long long)m->hello.protocol, MESSAGE_PROTOCOL);
    if (array->size != layout->n + 1)
        return error_set(err, ERR_FORMAT, "%s with %u fields, must have %zu", layout->name,
                         array->size - 1, layout->n);
    for (size_t i = 0; i < layout->n; i++)
        if (!field_decode(m, &layout->fields[i], &array->ptr[i + 1]))
            return field_error(&layout->fields[i], &array->ptr[i + 1], err);
    return 0;
}

int message_decode(struct message *m, const void *data, size_t size, struct error *err)
{
    if (!frame_is_flat(data, size))
        return error_set(err, ERR_FORMAT, "%zu bytes that are no message", size);
    msgpack_zone zone;
    if (!msgpack_zone_init(&zone, 512))
        return error_set(err, ERR_MEMORY, "no memory to decode a message");
    msgpack_object object;
    size_t         offset = 0;
    int            code;
    if (msgpack_unpack(data, size, &offset, &zone, &object) == MSGPACK_UNPACK_SUCCESS)
        code = object_decode(m, &object.via.array, err);
    else
        code = error_set(err, ERR_FORMAT, "%zu bytes that are no message", size);
    msgpack_zone_destroy(&zone);
    return code;
}
