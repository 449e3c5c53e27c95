# crossfleet. `make help` lists what there is to make.
#
#   VARIANT=release|debug|asan|tsan   builds into build/$(VARIANT)/
#   MUJOCO=system  MUJOCO_DIR=DIR  BLAS=system   instead of the pinned wheels (deploy/wheels.txt)
#   MARCH=native   for this processor only; the default runs on any x86-64-v2, with faster code
#                  inside that is chosen at start
#   V=1 shows commands, WERROR=1 makes warnings errors; CFLAGS and LDFLAGS are added to ours

VERSION := 0.1.0
VARIANT ?= release
PREFIX  ?= /usr/local
Q       := $(if $(filter 1,$(V)),,@)

# ---------------------------------------------------------------- dependencies

BUILDS := all train test test-faults test-chaos test-actor golden bench bench-% asan tsan keys report install lib fuzz scaling benchmark test-cluster video pictures deb build/%
NEEDED := $(filter $(BUILDS),$(or $(MAKECMDGOALS),all))
export MUJOCO MUJOCO_DIR BLAS CC
# $(shell) does not see what is exported
DEPS := MUJOCO='$(MUJOCO)' MUJOCO_DIR='$(MUJOCO_DIR)' BLAS='$(BLAS)' CC='$(CC)' deploy/deps.sh
ifneq ($(NEEDED),)
ifneq ($(shell $(DEPS) missing build),)
GOT := $(shell $(DEPS) install build)
ifneq ($(.SHELLSTATUS),0)
$(error something that the build needs is missing; the lines above say what)
endif
endif
endif

MACHINE := $(shell uname -m)
MARCH   ?= $(if $(filter x86_64,$(MACHINE)),x86-64-v2)
MSGPACK := $(shell pkg-config --exists msgpack-c 2>/dev/null && echo msgpack-c || echo msgpack)
PACKAGES := libzmq $(MSGPACK) yaml-0.1 libmicrohttpd libsodium

ifeq ($(MUJOCO),system)
MUJOCO_LIBS := -lmujoco
else
MUJOCO_HOME := $(or $(MUJOCO_DIR),build/deps/mujoco)
MUJOCO_LIB  := $(firstword $(wildcard $(MUJOCO_HOME)/libmujoco.so.* $(MUJOCO_HOME)/lib/libmujoco.so.*))
MUJOCO_CPP  := -isystem $(MUJOCO_HOME)/include
MUJOCO_LIBS := $(MUJOCO_LIB)
endif
ifeq ($(BLAS),system)
BLAS_CPP  := -DBLAS_SYSTEM $(shell pkg-config --cflags openblas 2>/dev/null)
BLAS_LIBS := $(shell pkg-config --libs openblas 2>/dev/null)
else
BLAS_CPP  := -isystem build/deps/openblas/include
BLAS_LIBS := build/deps/openblas/lib/libscipy_openblas.so
endif

# ---------------------------------------------------------------- flags

B := build/$(VARIANT)

FINAL_CPPFLAGS := -D_POSIX_C_SOURCE=200809L -I. $(MUJOCO_CPP) $(BLAS_CPP) \
                  $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(CPPFLAGS)
FINAL_CFLAGS   := -std=c11 -g -fno-math-errno -fno-trapping-math -Wall -Wextra -Wshadow \
                  -Wconversion $(if $(findstring clang,$(CC)),-Wno-unknown-pragmas) $(if $(MARCH),-march=$(MARCH)) $(if $(filter 1,$(WERROR)),-Werror)
FINAL_LDFLAGS  := -Wl,--as-needed
ifeq ($(VARIANT),release)
FINAL_CFLAGS += -O3
else ifeq ($(VARIANT),debug)
FINAL_CFLAGS += -O0
else ifeq ($(VARIANT),asan)
FINAL_CFLAGS  += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
FINAL_LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
FINAL_CFLAGS  += -O1 -fno-omit-frame-pointer -fsanitize=thread
FINAL_LDFLAGS += -fsanitize=thread
else
$(error VARIANT=$(VARIANT): release, debug, asan or tsan)
endif
FINAL_CFLAGS  += $(CFLAGS)
FINAL_LDFLAGS += $(LDFLAGS)

# libraries are found from the program's own place: in the build tree and where install puts them
up = $(subst $() ,:,$(foreach dir,openblas/lib mujoco,$$ORIGIN/$(1)/deps/$(dir)) $$ORIGIN/../lib/crossfleet)
rpath = -Wl,-rpath,'$(call up,$(1))'

COMMON_LIBS  := $(BLAS_LIBS) $(shell pkg-config --libs $(filter-out libmicrohttpd,$(PACKAGES)) 2>/dev/null) -lm -lpthread
LEARNER_LIBS := $(shell pkg-config --libs libmicrohttpd 2>/dev/null)
ACTOR_LIBS   := $(MUJOCO_LIBS) -ldl

# ---------------------------------------------------------------- what is built from what

sources = $(sort $(wildcard $(addsuffix /*.c,$(1))))
objects = $(patsubst %.c,$(B)/%.o,$(1))

COMMON  := $(call objects,$(call sources,common proto))
LEARNER := $(call objects,$(filter-out learner/main.c,$(call sources,learner)))
ACTOR   := $(call objects,$(filter-out actor/main.c,$(call sources,actor actor/env actor/render)))

PROGRAMS := $(B)/crossfleet-learner $(B)/crossfleet-actor
TESTS    := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/*/test_*.c)))
BENCHES  := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/*/bench_*.c)))

# a test of a module links that module; others link everything
parts = $(if $(filter deploy,$(1)),$(LIBRARY)) $(COMMON) $(if $(filter common proto actor deploy,$(1)),,$(LEARNER)) \
        $(if $(filter common proto learner deploy,$(1)),,$(ACTOR))
libs  = $(if $(filter common proto actor deploy,$(1)),,$(LEARNER_LIBS)) \
        $(if $(filter common proto learner deploy,$(1)),,$(ACTOR_LIBS)) $(COMMON_LIBS)

.PHONY: all
all: $(PROGRAMS) $(TESTS) $(BENCHES)  ## build programs, tests and benchmarks

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(FINAL_CPPFLAGS) $(FINAL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/common/version.o: FINAL_CPPFLAGS += -DCROSSFLEET_VERSION='"$(VERSION)"'
$(B)/common/version.o: Makefile
$(B)/learner/status_page.o: learner/status_page.html
# multiply and add in one: 5 to 10 % of what a norm's sweeps take
$(B)/common/layer_batch_renorm.o: FINAL_CFLAGS += -ffp-contract=fast

$(B)/crossfleet-learner: $(B)/learner/main.o $(LEARNER) $(COMMON)
	@echo "  LINK    $@"
	$(Q)$(CC) $(FINAL_LDFLAGS) -o $@ $^ $(LEARNER_LIBS) $(COMMON_LIBS) $(call rpath,..)

$(B)/crossfleet-actor: $(B)/actor/main.o $(ACTOR) $(COMMON)
	@echo "  LINK    $@"
	$(Q)$(CC) $(FINAL_LDFLAGS) -rdynamic -o $@ $^ $(ACTOR_LIBS) $(COMMON_LIBS) $(call rpath,..)

# the policy code once more, without BLAS and with every other name kept inside
LIBRARY := $(B)/libcrossfleet_policy.a
PLAIN   := $(patsubst %.c,$(B)/plain/%.o,deploy/c/crossfleet_policy.c $(addprefix common/, \
             policy.c policy_file.c safetensors.c safetensors_save.c json_scan.c atomic_file.c rng.c error.c))

$(B)/plain/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $< (plain)"
	$(Q)$(CC) -D_POSIX_C_SOURCE=200809L -DBLAS_SYSTEM -Ideploy/c/plain -I. $(CPPFLAGS) $(FINAL_CFLAGS) \
		-fPIC -MMD -MP -c -o $@ $<

$(LIBRARY): $(PLAIN)
	@echo "  LIB     $@"
	$(Q)$(LD) -r -o $(@:.a=.o) $^
	$(Q)objcopy --wildcard --keep-global-symbol='crossfleet_policy_*' $(@:.a=.o)
	$(Q)rm -f $@ && $(AR) rcs $@ $(@:.a=.o)

.PHONY: lib
lib: $(LIBRARY)  ## libcrossfleet_policy.a: act with a policy from C, needs libm alone

define module_rules
$$(B)/tests/$(1)/%: $$(B)/tests/$(1)/%.o $$(call parts,$(1))
	@echo "  LINK    $$@"
	$$(Q)$$(CC) $$(FINAL_LDFLAGS) -o $$@ $$^ $$(call libs,$(1)) -lcmocka $$(call rpath,../../..)
endef
$(foreach dir,$(notdir $(patsubst %/,%,$(sort $(dir $(wildcard tests/*/*.c))))),$(eval $(call module_rules,$(dir))))

.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---------------------------------------------------------------- using it

CONFIG ?= configs/pendulum.yaml
ACTORS ?= 2
GOLDEN ?= tests/golden

.PHONY: train
train: $(PROGRAMS)  ## train: CONFIG=, ACTORS=, SEED=, RUN=, SET="key=value ..."
	$(Q)$(B)/crossfleet-learner train $(CONFIG) --actors $(ACTORS) $(if $(SEED),--seed $(SEED)) \
		$(if $(RUN),--run $(RUN)) $(foreach set,$(SET),--set '$(set)')

.PHONY: test
test: $(PROGRAMS) $(TESTS)  ## build and run every test
	$(Q)CROSSFLEET_BIN=$(B) tests/run.sh $(TESTS) $(filter-out $(CONTAINED),$(sort $(wildcard tests/system/test_*.sh)))

.PHONY: test-mujoco
test-mujoco:  ## the actor's tests with the system's MuJoCo, 2.2.2 on Debian 12
	$(Q)$(MAKE) --no-print-directory test-actor MUJOCO=system B=build/mujoco-system

.PHONY: test-actor
test-actor: $(PROGRAMS) $(filter $(B)/tests/actor/%,$(TESTS))
	$(Q)CROSSFLEET_BIN=$(B) tests/run.sh $(filter $(B)/tests/actor/%,$(TESTS))

.PHONY: test-faults test-chaos
test-faults: $(PROGRAMS)  ## kill, freeze, cut off and replace real processes, and account for every row
	$(Q)CROSSFLEET_BIN=$(B) tests/system/faults.py $(FAULTS)
test-chaos: $(PROGRAMS)  ## the same at random for SECONDS=600, SEED=1
	$(Q)CROSSFLEET_BIN=$(B) tests/system/chaos.py $(or $(SECONDS),600) $(or $(SEED),1)

# these take minutes, a Docker engine and the image
CONTAINED := $(patsubst %,tests/system/test_%.sh,compose swarm slurm)
.PHONY: test-cluster
test-cluster: $(PROGRAMS)  ## compose, Swarm and Slurm in containers; needs the image crossfleet
	$(Q)CROSSFLEET_BIN=$(B) tests/run.sh $(CONTAINED)

.PHONY: golden
golden: $(B)/tests/actor/test_golden_env $(B)/tests/learner/test_golden_crossq  ## reference numbers; GOLDEN=DIR for others
	$(Q)status=0; for test in $^; do CROSSFLEET_GOLDEN=$(GOLDEN) $$test || status=1; done; exit $$status

# variables of the benchmarks are passed on when somebody sets them
$(foreach name,WIDTHS TASKS SECONDS THREADS SPEC RATE TURNS SET,$(if $(filter command% environment%,$(origin $(name))),$(eval export $(name))))
ifneq ($(filter bench bench-wire bench-ingest,$(MAKECMDGOALS)),)
ifneq ($(filter command% environment%,$(origin ACTORS)),)
export ACTORS
endif
endif

.PHONY: bench bench-learner bench-env bench-wire bench-ingest bench-products
bench: bench-learner bench-env bench-wire  ## all benchmarks, a JSON object a line
bench-learner: $(B)/tests/learner/bench_learner  ## updates/s: WIDTHS=, THREADS=, SECONDS=
	@$<
bench-env: $(B)/tests/actor/bench_env  ## environment steps/s: TASKS=, SECONDS=
	@$<
bench-wire: $(B)/tests/bench/bench_wire  ## transitions/s over the wire: ACTORS=, SECONDS=
	@$<
bench-ingest: $(B)/tests/bench/bench_ingest  ## updates/s with and without rows coming in: SPEC=, RATE=, THREADS=
	@$<
bench-products: $(B)/tests/learner/bench_products  ## each matrix product of an update: WIDTHS=
	@$<

.PHONY: bench-checkpoint
bench-checkpoint: $(B)/tests/learner/bench_checkpoint  ## a checkpoint's bytes, seconds, stall: ROWS=, CRITIC=, THREADS=
	@$<

.PHONY: bench-lockstep
bench-lockstep: $(PROGRAMS)  ## steps/s with and without lock-step, minutes long: RUNS=, ACTORS=, STEPS=
	@CROSSFLEET_BIN=$(B) tests/system/bench_lockstep.sh

# variables of the script are passed on as they are in the environment or on make's command line
.PHONY: test-kills
test-kills: $(PROGRAMS)  ## kill a learner at 20 random moments of two runs, minutes long: RUNS=, KILLS=, SEED=, PORT=
	$(Q)CROSSFLEET_BIN=$(B) tests/system/kills.sh

.PHONY: bench-check
bench-check: $(B)/tests/learner/bench_learner $(B)/tests/actor/count_step  ## instruction counts against a stored baseline
	$(Q)deploy/deps.sh install dev
	@tests/bench/check.sh $(B)

# the containers of deploy/compose.yaml run as user 10001, or as the keys' owner
.PHONY: keys
keys: $(B)/crossfleet-learner  ## CURVE keys for learner and actors in keys/, as deploy/compose.yaml wants them
	$(Q)$< keygen keys
	$(Q)if [ "$$(id -u)" = 0 ]; then chown -R 10001:10001 keys; \
	else sed -i '/^KEYS_USER=/d' deploy/.env 2>/dev/null; \
		echo "KEYS_USER=$$(id -u):$$(id -g)" >>deploy/.env; fi

.PHONY: scaling
scaling: $(PROGRAMS)  ## actors x ratio x envs x seeds, measured and planned: SWEEP=deploy/scaling.yaml OUT=runs/scaling
	$(Q)BIN=$(B) deploy/scaling $(or $(SWEEP),deploy/scaling.yaml) -o $(or $(OUT),runs/scaling)

.PHONY: benchmark benchmarks-page
benchmark: $(PROGRAMS)  ## runs for BENCHMARKS.md: TASKS=, SEEDS="1 2 3", SPECS=configs/fast, ACTORS=, JOBS=, RUNS=
	$(Q)BIN=$(B) tests/benchmark $(TASKS) --actors $(ACTORS) $(if $(SEEDS),--seeds '$(SEEDS)') \
		$(if $(SPECS),--specs $(SPECS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(RUNS),--runs $(RUNS)) \
		$(if $(SET),--set '$(SET)') $(if $(TAKE),--take) $(if $(COMMIT),--commit $(COMMIT))
benchmarks-page:  ## BENCHMARKS.md's tables and pictures from tests/benchmarks
	$(Q)tests/benchmarks/page.py

.PHONY: fuzz
fuzz:  ## libFuzzer over everything that is read, with clang: RUNS= and SECONDS= each, TARGETS=
	$(Q)deploy/deps.sh install build dev
	$(Q)tests/fuzz/run.sh $(B) $(or $(RUNS),1000000) $(or $(SECONDS),0) $(TARGETS)

.PHONY: report
report: $(PROGRAMS)  ## learning curves: RUN="runs/a runs/b" OUT=report.svg
	$(Q)$(B)/crossfleet-learner report $(or $(RUN),$(wildcard runs/*)) -o $(or $(OUT),report.svg)

.PHONY: video pictures
video: $(B)/crossfleet-actor  ## film a policy: RUN=runs/a OUT=policy.mp4 or .gif
	$(Q)deploy/deps.sh install video
	$(Q)$< video $(or $(RUN),$(error RUN=runs/DIR: which run)) -o $(or $(OUT),policy.mp4)
pictures: $(PROGRAMS)  ## the README's pictures anew, half an hour: RUN=DIR to keep their run
	$(Q)deploy/deps.sh install video pictures
	$(Q)deploy/pictures/make.sh $(B) $(RUN)

# ---------------------------------------------------------------- looking after it

.PHONY: asan tsan
asan:  ## every test under address and undefined sanitizers
	$(Q)$(MAKE) --no-print-directory test VARIANT=asan
tsan:  ## every test under the thread sanitizer
	$(Q)TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp" OPENBLAS_NUM_THREADS=1 $(MAKE) --no-print-directory test VARIANT=tsan

FORMATTED = $(sort $(wildcard $(foreach dir,common proto actor actor/env learner deploy/c deploy/c/plain configs/examples/* tests/*,$(dir)/*.[ch])))
CLANG_FORMAT = $(firstword $(shell command -v clang-format-14 clang-format))

.PHONY: lint format format-check
lint:  ## include rules, clang-tidy, shellcheck
	$(Q)deploy/deps.sh install build dev
	$(Q)FLAGS="$(FINAL_CPPFLAGS) -std=c11" tests/lint.sh
format:  ## put every source into the house format
	$(Q)deploy/deps.sh install dev
	$(Q)$(CLANG_FORMAT) -i $(FORMATTED)
format-check:  ## say which sources are not
	$(Q)deploy/deps.sh install dev
	$(Q)$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

.PHONY: deps
deps:  ## install what building and testing need
	$(Q)deploy/deps.sh install build

DEST = $(DESTDIR)$(PREFIX)

.PHONY: install
install: $(PROGRAMS) $(LIBRARY)  ## into DESTDIR/PREFIX (/usr/local)
	install -d $(DEST)/bin $(DEST)/lib/crossfleet $(DEST)/include/crossfleet/actor $(DEST)/share/crossfleet/assets \
		$(DEST)/share/man/man1 $(DEST)/share/bash-completion/completions $(DEST)/share/zsh/site-functions
	install $(PROGRAMS) $(DEST)/bin
	install -m 644 build/deps/assets/*.xml $(DEST)/share/crossfleet/assets
	cp -R configs LICENSE $(wildcard build/deps/licenses) $(DEST)/share/crossfleet
	install -m 644 $(LIBRARY) $(DEST)/lib
	install -m 644 deploy/c/crossfleet_policy.h $(DEST)/include
	$(if $(MUJOCO_LIB),install -m 644 $(MUJOCO_LIB) $(DEST)/lib/crossfleet)
	$(if $(filter system,$(BLAS)),,install -m 644 $(BLAS_LIBS) $(DEST)/lib/crossfleet)
	install -m 644 actor/crossfleet_env.h $(DEST)/include/crossfleet/actor
	for program in learner actor; do \
		name=crossfleet-$$program; \
		$(B)/$$name --man >$(DEST)/share/man/man1/$$name.1; \
		$(B)/$$name --completion-bash >$(DEST)/share/bash-completion/completions/$$name; \
		$(B)/$$name --completion-zsh >$(DEST)/share/zsh/site-functions/_$$name; \
	done

.PHONY: deb
deb:  ## a Debian package of it: build/release/crossfleet_VERSION_ARCH.deb
	$(Q)deploy/deps.sh install deb
	$(Q)rm -rf $(B)/deb
	$(Q)$(MAKE) --no-print-directory install DESTDIR=$(CURDIR)/$(B)/deb PREFIX=/usr >$(B)/deb.log
	$(Q)deploy/make-deb $(B)/deb $(VERSION) $(B)

.PHONY: clean help
clean:  ## remove what was built (build/deps stays)
	rm -rf $(filter-out build/deps,$(wildcard build/*))
help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18
