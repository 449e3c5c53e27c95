#!/usr/bin/env bash
# The scripts of deploy/slurm on two virtual nodes in a container: a run over both, cut by its time limit,
# queued again and finished; an array of seeds. Makes an image of its own on the one of crossfleet (IMAGE).
# shellcheck disable=SC2317  # conditions are called by check
set -u
image=${IMAGE:-crossfleet} box=crossfleet-slurm-test
docker info >/dev/null 2>&1 || { echo 'no Docker engine'; exit 77; }
docker image inspect "$image" >/dev/null 2>&1 || { echo "no image $image"; exit 77; }
# shellcheck source=tests/system/checks.sh
. tests/system/checks.sh
trap 'docker rm -f $box >/dev/null 2>&1; rm -rf "$work"' EXIT
mkdir "$work/slurm"
cp deploy/slurm/*.sbatch "$work/slurm"
cat >"$work/slurm.conf" <<'C'
ClusterName=test
SlurmctldHost=localhost
AuthType=auth/munge
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=bf_interval=1
ReturnToService=2
SlurmdParameters=config_overrides
MpiDefault=none
SwitchType=switch/none
KillWait=30
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd.%n
SlurmdPidFile=/run/slurmd.%n.pid
SlurmdLogFile=/var/log/slurmd.%n.log
SlurmctldLogFile=/var/log/slurmctld.log
NodeName=n[1-2] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
C
cat >"$work/start" <<'C'
#!/bin/sh
mkdir -p /run/munge /var/spool/slurmctld /var/spool/slurmd.n1 /var/spool/slurmd.n2 /runs
chown munge: /run/munge
runuser -u munge -- munged
slurmctld
for node in n1 n2; do slurmd -N $node; done
exec sleep infinity
C
cat >"$work/Dockerfile" <<C
FROM $image
USER root
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
COPY slurm.conf /etc/slurm/slurm.conf
COPY start /start
COPY slurm /slurm
C
chmod +x "$work/start"
docker build -q -t $box "$work" >/dev/null || exit 1
docker run -d --hostname localhost --name $box $box sh /start >/dev/null || exit 1

in_box() { docker exec -w /usr/local/share/crossfleet $box "$@"; }
idle() { [ "$(in_box sinfo -h -o '%T %D' 2>/dev/null)" = 'idle 2' ]; }
queued() { in_box squeue -h -j "$1" -o '%T' 2>/dev/null | sort -u | xargs; }
empty() { [ -z "$(in_box squeue -h 2>/dev/null)" ]; }
has() { in_box grep -qs "$1" "$2"; }
line() { in_box sh -c "tail -n 1 $1 | cut -d, -f1" 2>/dev/null; }

check 'two nodes are idle' within 60 idle
# as if time ran short: the signal that --signal sends before the limit
job=$(in_box sbatch --parsable --nodes=2 --ntasks-per-node=4 -o /runs/train.log \
    --export=ALL,SPEC=configs/pendulum.yaml,RUN=/runs/train,SEED=1,SET=env.max_frame=8000,LEARNER_HOST=127.0.0.1 /slurm/train.sbatch)
check 'a run starts on both nodes' within 60 has 'joined run' /runs/train.log
[ $failed = 0 ] || { in_box sh -c 'tail -n 30 /runs/*.log /var/log/slurmd.n1.log; squeue --steps'; exit 1; }
check 'and gets ahead' within 120 in_box test -s /runs/train/checkpoint/replay.bin
joined() { [ "$(in_box grep -c 'joined run' /runs/train.log)" -ge 6 ]; }
check 'five actors on two nodes, and the evaluator' within 30 joined
in_box scancel --batch --signal=USR1 "$job"
check 'before its time limit it is queued again' within 90 has 'goes on in the next turn' /runs/train.log
check 'after a checkpoint' in_box sh -c 'ls -d /runs/train/checkpoint/[0-9]* >/dev/null'
check 'in the queue it is' test -n "$(queued "$job")"
# Slurm lets a requeued job wait for two minutes or more
check 'it goes on to its end' within 600 empty
check 'with every step' test "$(line /runs/train/evaluations.csv)" = 8000

in_box sbatch --array=0-3 --cpus-per-task=2 -o '/runs/sweep-%a.log' \
    --export=ALL,SEEDS='1 2 3',SET=env.max_frame=2000,RUNS=/runs/sweep,ACTORS=1 /slurm/sweep.sbatch >/dev/null
check 'an array of three seeds runs' within 240 empty
for seed in 1 2 3; do
    check "seed $seed has every step" test "$(line /runs/sweep/pendulum-s$seed/evaluations.csv)" = 2000
done
check 'an element too many does nothing' has 'nothing to do' /runs/sweep-3.log
if [ $failed -gt 0 ]; then
    in_box sh -c 'tail -n 30 /runs/*.log /var/log/slurmctld.log; squeue; sinfo'
fi
checks_end
