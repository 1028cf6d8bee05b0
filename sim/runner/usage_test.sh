#!/bin/bash
# What wavetank-sim says to wrong usage: exit 64 and exactly one line on stderr, nothing on stdout.
# usage_test.sh <wavetank-sim>
set -u
sim=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  echo "  stderr: $(head -c 600 "$work/err")"
  failures=$((failures + 1))
}

# refused <text that the line must hold> <arguments...>
refused() {
  local text=$1
  shift
  "$sim" "$@" >"$work/out" 2>"$work/err"
  local code=$?
  [ $code -eq 64 ] || fail "exit $code instead of 64: $*"
  [ "$(wc -l <"$work/err")" -eq 1 ] || fail "$(wc -l <"$work/err") lines on stderr: $*"
  [ -s "$work/out" ] && fail "something on stdout: $*"
  grep -qF -- "$text" "$work/err" || fail "no '$text' in the message: $*"
}

# told <exit code> <text that stdout must hold> <arguments...>
told() {
  local expected=$1 text=$2
  shift 2
  "$sim" "$@" >"$work/out" 2>"$work/err"
  local code=$?
  [ $code -eq "$expected" ] || fail "exit $code instead of $expected: $*"
  [ -s "$work/err" ] && fail "something on stderr: $*"
  grep -qF -- "$text" "$work/out" || fail "no '$text' on stdout: $*"
}

told 0 'Example' --help
told 0 'Example' run --help
told 0 'Example' verify --help
told 0 'Example' list --help
told 0 'Example' compare --help
told 0 'campus' list
told 0 'Example' probes --help
printf 'run { scenario: "star" set: "devices=10" set: "run_s=2" set: "population.ramp_s=1" }\n' >"$work/probes.txtpb"
told 1 'torn batch recovered                          0      0  COLD' probes --file "$work/probes.txtpb"
told 1 '; cold: ' probes star --set devices=10 --set run_s=2 --set population.ramp_s=1 --seeds 2

refused 'subcommand'
refused 'runn: no such command' runn campus
refused 'scenario is required' run
refused '--bogus' run star --bogus
refused 'extra' run star extra
refused 'nosuch: no such scenario; shipped are:' run nosuch
refused "$work/none.txtpb" run "$work/none.txtpb"

refused 's the run has taken' run star --set devices=2000 --set run_s=20 --set population.ramp_s=10 --max-memory 5
refused 'that --max-memory allows; give it a smaller world' run star --set devices=2000 --set run_s=20 --set population.ramp_s=10 --threads 2 --max-memory 5

refused "there is no such profile; shipped are: mission, whatsapp2014" run region --set profile=nosuch
refused "there is no such fidelity; shipped are: capacity, correctness" run star --set fidelity=nosuch
refused "--a profile=nosuch" compare region --a profile=nosuch --b run_s=70
# A profile comes before all other settings, wherever it stands. What is wrong last would be said if it did not.
refused 'population.send_peak_uhz must be within' \
  run region --set population.send_peak_uhz=-1 --set profile=whatsapp2014 --set checks.connect_bound_s=0

refused '--set needs a scenario' probes --set run_s=1
refused 'either a file or scenarios' probes star --file "$work/probes.txtpb"
refused 'nosuch: no such scenario' probes nosuch
printf 'run { scenario: "star" seeds: 0 }\n' >"$work/none.seeds"
refused 'seeds must be within 1 and 1000' probes --file "$work/none.seeds"
: >"$work/empty"
refused 'there is no run in it' probes --file "$work/empty"
refused 'cannot be read' probes --file "$work/missing"
refused '--seeds' probes star --seeds 0

refused "no field 'bogus' in Scenario; there are: name," run star --set bogus=1
refused "no field 'page' in Protocol; there are:" run star --set protocol.page=1
refused 'expected path=value' run star --set run_s
refused "'soon' is not a value of run_s" run star --set run_s=soon
refused 'run_s must be within 1 and' run star --set run_s=0
refused 'checks.connect_bound_s must be within 1 and' run star --set checks.connect_bound_s=0
refused 'checks.fewest_operations must be within 1 and' run star --set checks.fewest_operations=0
refused 'say which' run star --set topology.region.weight=1
refused 'mars' run star --set 'topology.region[0].name=mars'
refused 'ORD-NONSENSE' run star --set devices=10 --set 'checks.require[0].property=ORD-NONSENSE'

refused "'-1' is not a whole number" run star --seed -1
refused "'seven' is not a whole number" run star --seed seven
refused 'is not a whole number' run star --seed 18446744073709551616

refused "$work/none: cannot be read" run star --plan "$work/none"
printf 'fault {\n  name: "x"\n  colour: "red"\n}\n' >"$work/plan.txtpb"
refused "$work/plan.txtpb:3:9: " run star --plan "$work/plan.txtpb"
printf 'fault { name: "x" kind: NODE_KILL at_ms: 1 }\n' >"$work/plan.txtpb"
refused 'fault 1 (x): needs a target' run star --plan "$work/plan.txtpb"

printf 'name: "x"\nrun_s: 5\ncolour: "red"\n' >"$work/bad.txtpb"
refused "$work/bad.txtpb:3:7: " run "$work/bad.txtpb"
refused "$work/bad.txtpb:3:7: " verify "$work/bad.txtpb"
printf 'name: "x"\nrun_s: soon\n' >"$work/bad.txtpb"
refused "$work/bad.txtpb:2:8: " run "$work/bad.txtpb"

touch "$work/file"
refused "$work/file/out" run star --set devices=10 --out "$work/file/out"
refused "$work/file/history.wth" run star --set devices=10 --history "$work/file/history.wth"
refused '--defect' run star --defect nosuch

refused 'scenario is required' compare
refused '--bogus' compare star --bogus
refused 'nosuch: no such scenario; shipped are:' compare nosuch
refused 'nosuch: no such scenario; shipped are:' compare star nosuch
refused 'At Most 2 required but received 3' compare star star third
refused "--a bogus=1: no field 'bogus' in Scenario" compare star --a bogus=1
refused "--b protocol.page=1: no field 'page' in Protocol" compare star --b protocol.page=1
refused "--set bogus=1: no field 'bogus'" compare star --set bogus=1
refused '--a run_s: expected path=value' compare star --a run_s
refused 'run_s must be within 1 and' compare star --b run_s=0
refused '--seeds must be within 1 and 100000, is 0' compare star --seeds 0
refused "'-1' is not a whole number" compare star --seeds -1
refused "'x' is not a whole number" compare star --first-seed x
refused '--first-seed and --seeds together pass' compare star --seeds 2 --first-seed 18446744073709551615
refused 'expected MEASURE=PERCENT' compare star --bound events
refused "'much' is not a percentage" compare star --bound events=much
refused "'-5' is not a percentage" compare star --bound events=-5
refused 'no such measure; the nearest is end_to_end.calm.wifi.p99' compare star --bound end_to_end.clam.wifi.p99=5
refused 'no such measure' compare star --bound messages.sent=5
refused '--bound needs --seeds 2 or more' compare star --bound events=5 --seeds 1
refused '--conversation first' compare star --conversation first
refused '--a-defect' compare star --a-defect nosuch
refused '--b-defect' compare star --b-defect nosuch
refused '--b-program nosuch: not a program' compare star --b-program nosuch
refused "--b-program $work: not a program" compare star --b-program "$work"
refused "$work/file/out" compare star --set devices=10 --out "$work/file/out"
refused '--conversation 9999999: no such conversation; there are' \
  compare star --set devices=10 --seeds 1 --conversation 9999999
refused 'cohort.weight must be within' compare star --a 'cohort[0].weight=-1'

# The other executable: the same one gives equal sides; what dies or refuses is said in one line.
quick=(--set devices=10 --set run_s=20 --set 'checks.require[0].minimum=1' --seeds 1 --no-progress)
"$sim" compare star "${quick[@]}" --b-program "$sim" --out "$work/equal" >"$work/out" 2>"$work/err"
grep -qE '^0 of [0-9]+ measures differ' "$work/out" || fail 'the same executable on side B differs'
for file in compare.json compare.html; do [ -s "$work/equal/$file" ] || fail "no $file"; done
printf '#!/bin/sh\necho broken >&2\nexit 70\n' >"$work/dies"
printf '#!/bin/sh\necho no field >&2\nexit 64\n' >"$work/refuses"
printf '#!/bin/sh\nexit 0\n' >"$work/silent"
printf '#!/bin/sh\nkill -9 $$\n' >"$work/killed"
chmod +x "$work/dies" "$work/refuses" "$work/silent" "$work/killed"
refused "side B: $work/refuses ended with exit code 64: no field" compare star "${quick[@]}" --b-program "$work/refuses"
# ended <text> <program>: exit 3, one line
ended() {
  "$sim" compare star "${quick[@]}" --b-program "$2" >"$work/out" 2>"$work/err"
  local code=$?
  [ $code -eq 3 ] || fail "exit $code instead of 3: $2"
  [ "$(wc -l <"$work/err")" -eq 1 ] || fail "not one line on stderr: $2"
  grep -qF -- "$1" "$work/err" || fail "no '$1' in the message: $2"
}
ended 'ended with exit code 70: broken' "$work/dies"
ended 'left a result.json that cannot be read' "$work/silent"
ended 'was killed by signal 9' "$work/killed"

# A bound that is surely exceeded fails the comparison; the same bound the other way round holds.
fast=(--set fidelity.wire=FRAMES --set fidelity.store=MEMORY --seeds 3 --no-progress)
bounded=(--bound gateways.utilisation.peak=5)
told 1 'EXCEEDED' compare reconnect "${fast[@]}" "${bounded[@]}" \
  --a protocol.reconnect_min_ms=5000 --b protocol.reconnect_min_ms=1
told 0 'held' compare reconnect "${fast[@]}" "${bounded[@]}" \
  --a protocol.reconnect_min_ms=1 --b protocol.reconnect_min_ms=5000

# A run that is too small for its minimums is inconclusive, and leaves its four files all the same.
told 2 'INCONCLUSIVE' run star --set devices=10 --no-progress --out "$work/out-folder"
for file in result.json junit.xml report.html plan.txtpb; do
  [ -s "$work/out-folder/$file" ] || [ "$file" = plan.txtpb ] || fail "no $file"
  [ -e "$work/out-folder/$file" ] || fail "no $file"
done
told 0 'equal: ' verify star --set devices=10
told 0 'with clocks that agree and with nodes off by 300 s' verify star --set devices=10 --clocks

[ $failures -eq 0 ] || exit 1
echo "all as expected"
