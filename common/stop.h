// The stop flag: SIGINT and SIGTERM ask for an orderly end, a second one ends at once.
//
// One of the two globals that may change (the other is the logger). Safe to read from any thread.
#ifndef COMMON_STOP_H
#define COMMON_STOP_H

// Catches SIGINT and SIGTERM, ignores SIGPIPE. Call once, before threads start.
void stop_catch(void);

// 0, or the signal that asked for the end.
int stop_signal(void);

// As if the signal had come, for tests and for STOP messages.
void stop_ask(int signal);

#endif
