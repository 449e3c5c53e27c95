// The files of a custom task as one block of bytes, so that an actor anywhere gets them with the spec:
// the model, and what it names by file="..." (meshes, textures, included models), below its folder.
//
//   bytes   4  "CFB1"
//           4  number of files, little endian; the first is the model
//   each    4  bytes of the name, then the name: a path relative to the model's folder
//           4  bytes of the file, then the file
//   last    4  crc32c of all before
#ifndef COMMON_BUNDLE_H
#define COMMON_BUNDLE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bundle {
    uint8_t *bytes;
    size_t   size;
};

// Packs a model. A file that the model names and that is not there is left to MuJoCo to complain
// about, where it loads.
//
//   returns  0, ERR_SYSTEM (the model cannot be read), ERR_SPEC (a file outside the model's folder),
//            ERR_MEMORY (more than limit bytes); b is then safe to free
//   owns     b->bytes, until bundle_free
int  bundle_pack(struct bundle *b, const char *model, size_t limit, struct error *err);
void bundle_free(struct bundle *b);

// Says whether bytes are a bundle: whole, and with names that stay below a folder.
bool bundle_check(const void *bytes, size_t size);

// Writes the files of a bundle below folder, which exists and is empty.
//
//   model    (size) out, the path of the model
//   returns  0, ERR_FORMAT for bytes that are no bundle, ERR_SYSTEM
int bundle_unpack(const void *bytes, size_t size, const char *folder, char *model,
                  size_t model_size, struct error *err);

// Removes what bundle_unpack wrote, and the folder.
void bundle_remove(const void *bytes, size_t size, const char *folder);

#endif
