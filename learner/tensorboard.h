// TensorBoard's event file, written record by record.
//
//   record   uint64 length, masked crc32c of it, data, masked crc32c of data (little-endian)
//   masked   ((crc >> 15) | (crc << 17)) + 0xa282ead8
//   data     protobuf message Event {1 wall_time, 2 step, 3 file_version, 5 Summary, 7 SessionLog}
//
// One event carries all values of one step and is one write; a reader that comes in between sees whole
// records. Not thread-safe. Source: tensorflow/core/util/event.proto and lib/io/record_writer.cc.
#ifndef LEARNER_TENSORBOARD_H
#define LEARNER_TENSORBOARD_H

#include "common/error.h"
#include "common/protobuf.h"

#include <stddef.h>
#include <stdint.h>

struct tensorboard {
    int             fd;             // 0 when zeroed
    uint8_t        *buffer;         // owned
    struct protobuf event;          // the one that is being made, in buffer
    size_t          summary, kept;  // in it: where its summary's content and its last value begin
};

// Makes directory/events.out.tfevents.<time>.<host>.<pid>.0. An event holds at most capacity bytes.
// With first_step > 0 (a resumed run) points of older files from there on are hidden by TensorBoard.
//
//   returns  0, ERR_SYSTEM or ERR_MEMORY
int  tensorboard_open(struct tensorboard *tb, const char *directory, size_t capacity,
                      uint64_t first_step, struct error *err);
void tensorboard_close(struct tensorboard *tb);

// Adds a value to the event that is being made; what does not fit is left out, NAN too.
void tensorboard_scalar(struct tensorboard *tb, const char *tag, double scalar);
void tensorboard_text(struct tensorboard *tb, const char *tag, const char *text);
void tensorboard_image(struct tensorboard *tb, const char *tag, size_t width, size_t height,
                       const void *encoded, size_t size);  // PNG or GIF, RGB

// Writes the event, if it holds anything.
//
//   returns  0 or ERR_SYSTEM
int tensorboard_end(struct tensorboard *tb, uint64_t step, struct error *err);

#endif
