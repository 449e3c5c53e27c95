// `crossfleet-learner doctor`: does this machine have what training needs, and how should it be used?
//
// One line a check: "ok", "note" (works, could be better) or "FAIL" (will not work), what was found, and
// after an arrow what to do about it.
#ifndef LEARNER_DOCTOR_H
#define LEARNER_DOCTOR_H

#include <stdio.h>

// Runs every check, in about ten seconds.
//
//   returns  how many failed
int doctor_run(FILE *out);

#endif
