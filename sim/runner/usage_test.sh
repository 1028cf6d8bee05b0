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
told 0 'campus' list

refused 'subcommand'
refused 'runn: no such command' runn campus
refused 'scenario is required' run
refused '--bogus' run star --bogus
refused 'extra' run star extra
refused 'nosuch: no such scenario; shipped are:' run nosuch
refused "$work/none.txtpb" run "$work/none.txtpb"

refused "no field 'bogus' in Scenario; there are: name," run star --set bogus=1
refused "no field 'page' in Protocol; there are:" run star --set protocol.page=1
refused 'expected path=value' run star --set run_s
refused "'soon' is not a value of run_s" run star --set run_s=soon
refused 'run_s must be within 1 and' run star --set run_s=0
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

# A run that is too small for its minimums is inconclusive, and leaves its four files all the same.
told 2 'INCONCLUSIVE' run star --set devices=10 --no-progress --out "$work/out-folder"
for file in result.json junit.xml report.html plan.txtpb; do
  [ -s "$work/out-folder/$file" ] || [ "$file" = plan.txtpb ] || fail "no $file"
  [ -e "$work/out-folder/$file" ] || fail "no $file"
done
told 0 'equal: ' verify star --set devices=10

[ $failures -eq 0 ] || exit 1
echo "all as expected"
