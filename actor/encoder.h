// A film file: frames go through a pipe to the program ffmpeg.
#ifndef ACTOR_ENCODER_H
#define ACTOR_ENCODER_H

#include "common/error.h"

#include <stddef.h>
#include <sys/types.h>

struct encoder {
    pid_t       child;
    int         pipe;        // its standard input
    size_t      frame_size;  // bytes
    const char *output;      // borrowed
};

// Says whether the ending of a file's name is one that can be written.
//
//   returns  0 or ERR_SPEC
int encoder_check(const char *output, struct error *err);

// Starts ffmpeg. A gif is made small: 288 wide, 12.5 frames a second, 48 colours.
//
//   returns  0 or ERR_SYSTEM
int encoder_open(struct encoder *e, const char *output, size_t width, size_t height, int fps,
                 struct error *err);

// Adds a frame (height, width, 3), top row first.
int encoder_write(struct encoder *e, const unsigned char *rgb, struct error *err);

// Waits until the file is complete.
//
//   returns  0, or ERR_SYSTEM if ffmpeg failed or is missing
int encoder_close(struct encoder *e, struct error *err);

#endif
