# starter Makefile: replaced by the build work
VARIANT ?= release
B := build/$(VARIANT)
DEPS := build/deps
CC ?= gcc
MUJOCO := $(DEPS)/mujoco
BLAS := $(DEPS)/openblas
CF := -std=c11 -D_POSIX_C_SOURCE=200809L -I. -I$(MUJOCO)/include -I$(BLAS)/include -Wall -Wextra -Wshadow -Wconversion -MMD -MP
ifeq ($(VARIANT),asan)
CF += -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer
else ifeq ($(VARIANT),debug)
CF += -O0 -g
else
CF += -O3 -g -march=x86-64-v2 -fno-math-errno -fno-trapping-math
endif
LD := -L$(BLAS)/lib -l:libscipy_openblas.so -L$(MUJOCO) -l:libmujoco.so.3.3.5 -lzmq -lsodium -lsodium -lmsgpackc -lyaml -lmicrohttpd -lpng -lm -lpthread -ldl
LD += -Wl,-rpath,$(abspath $(BLAS)/lib) -Wl,-rpath,$(abspath $(MUJOCO))
COMMON := $(patsubst %.c,$(B)/%.o,$(shell find common proto -name '*.c' 2>/dev/null))
LEARNER := $(patsubst %.c,$(B)/%.o,$(filter-out learner/main.c,$(shell find learner -name '*.c' 2>/dev/null)))
ACTOR := $(patsubst %.c,$(B)/%.o,$(filter-out actor/main.c,$(shell find actor -name '*.c' 2>/dev/null)))
TESTS := $(patsubst %.c,$(B)/%,$(shell find tests -name 'test_*.c' 2>/dev/null))
all: $(if $(wildcard learner/main.c),$(B)/crossfleet-learner) $(if $(wildcard actor/main.c),$(B)/crossfleet-actor) $(TESTS)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CF) $(CFLAGS) -c -o $@ $<
$(B)/crossfleet-learner: $(B)/learner/main.o $(LEARNER) $(COMMON)
	$(CC) $(CF) -o $@ $^ $(LD)
$(B)/crossfleet-actor: $(B)/actor/main.o $(ACTOR) $(COMMON)
	$(CC) $(CF) -o $@ $^ $(LD)
$(B)/tests/learner/%: $(B)/tests/learner/%.o $(LEARNER) $(COMMON)
	$(CC) $(CF) -o $@ $^ $(LD) -lcmocka
$(B)/tests/actor/%: $(B)/tests/actor/%.o $(ACTOR) $(COMMON)
	$(CC) $(CF) -o $@ $^ $(LD) -lcmocka
$(B)/tests/wire/%: $(B)/tests/wire/%.o $(LEARNER) $(ACTOR) $(COMMON)
	$(CC) $(CF) -o $@ $^ $(LD) -lcmocka
$(B)/tests/%: $(B)/tests/%.o $(COMMON)
	$(CC) $(CF) -o $@ $^ $(LD) -lcmocka
test: all
	@for t in $(TESTS); do $$t || exit 1; done
-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all test
.SECONDARY:
