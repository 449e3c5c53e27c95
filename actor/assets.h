// Where the models of the tasks lie.
#ifndef ACTOR_ASSETS_H
#define ACTOR_ASSETS_H

#include "common/error.h"

#include <stddef.h>

// Finds a model file by name: in the directory that CROSSFLEET_ASSETS names, or else in deps/assets or
// share/crossfleet/assets beside one of the directories above the running program (a build tree, an
// installed prefix).
//
//   path     (size)  out
//   returns  0, or ERR_SYSTEM saying where it looked
int assets_find(char *path, size_t size, const char *file, struct error *err);

#endif
