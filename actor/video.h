// `crossfleet-actor video`: a policy's episodes as a film. Frames go through a pipe to ffmpeg.
#ifndef ACTOR_VIDEO_H
#define ACTOR_VIDEO_H

#include "common/error.h"

#include <stdint.h>

struct video_length {
    uint64_t episodes;
    uint64_t seconds;  // at most, in the task's own time; 0: to the end of the episodes
};

// Plays episodes of a policy file or run (eval_load) into output, whose ending says how: .mp4 or .gif.
// One frame a control step, in the task's own time.
//
//   returns  0, or ERR_SPEC (ending), ERR_SYSTEM (ffmpeg or graphics missing), what eval_load said
int video_run(const char *target, const char *output, struct video_length length, uint64_t seed,
              struct error *err);

#endif
