// SPDX-License-Identifier: Apache-2.0
// What bash makes of a script, and what the reader makes of it without running it, are the same words.
#include <gtest/gtest.h>

#include "importers/qemu/launch.hpp"
#include "tests/kit/folder.hpp"

#include "support/subprocess.hpp"

namespace ferry::qemu {
namespace {

namespace fs = std::filesystem;

// Words a line each, starts behind one another.
std::string by_bash(const fs::path &folder, const fs::path &script) {
  const auto result = subprocess::run(
      {.program = "bash",
       .arguments = {"-c", "export PATH=\"$1:/usr/bin:/bin\" HOME=/home/ann USER=ann; cd \"$2\"; exec bash \"$3\"",
                     "bash", (folder / "bin").string(), folder.string(), script.string()},
       .limits = {.deadline = std::chrono::seconds(20)},
       .bare_environment = true});
  EXPECT_EQ(result.errors, "") << script;
  std::string out;
  for (std::string_view rest = result.output; !rest.empty();) {
    const std::size_t begin = rest.find("<start>\n");
    if (begin == std::string_view::npos) break;
    const std::size_t end = rest.find("<end>\n", begin);
    out += rest.substr(begin + 8, end - begin - 8);
    rest.remove_prefix(end + 6);
  }
  return out;
}

std::string by_reader(const std::string &text, const fs::path &script) {
  ReadOptions options;
  options.environment = {{"HOME", "/home/ann"}, {"USER", "ann"}};
  std::string out;
  for (const Launch &launch : read_launches(text, script, options)) {
    for (const LaunchWord &word : launch.words) out += shown(word.text, launch.opens) + "\n";
  }
  return out;
}

class Bash : public testing::TestWithParam<const char *> {};

TEST_P(Bash, TheWordsAreTheSame) {
  const test::TempFolder folder;
  const fs::path stand_in =
      folder.write("bin/qemu-system-x86_64", "#!/bin/bash\necho '<start>'\nprintf '%s\\n' \"$@\"\necho '<end>'\n");
  const fs::path sudo = folder.write("bin/sudo", "#!/bin/bash\nexec \"$@\"\n");
  const fs::path other = folder.write("start.sh", "#!/bin/bash\nqemu-system-x86_64 -name \"$1\" -m $MEM $UNEXPORTED\n");
  for (const fs::path &program : {stand_in, sudo, other}) fs::permissions(program, fs::perms::owner_all);
  folder.write("lib/common.sh", "MEM=3G\nadd() { ARGS+=(\"$@\"); }\n");
  const std::string text = std::string("#!/bin/bash\n") + GetParam() + "\n";
  const fs::path script = folder.write("vm.sh", text);
  EXPECT_EQ(by_reader(text, script), by_bash(folder.path(), script)) << text;
}

INSTANTIATE_TEST_SUITE_P(
    Pipelines, Bash,
    testing::Values(
        R"sh(M=$(echo 0,2,4 | awk -F',' '{print NF}'); qemu-system-x86_64 -smp $M)sh",
        R"sh(N=$(basename $0 | cut -d"." -f 1); qemu-system-x86_64 -name $N)sh",
        R"sh(x="a-b-c"; y=$(echo "$x" | sed 's/-/_/g' | tr a-z A-Z | head -n1); qemu-system-x86_64 -name "$y")sh",
        R"sh(x=$(echo "a:b:c" | cut -d: -f2-); y=$(echo abcdef | cut -c2-4); qemu-system-x86_64 $x $y)sh",
        R"sh(x=$(echo "one two three" | awk '{print $2}'); y=$(echo "a b" | awk '{print $2 "-" $1, NR}'); qemu-system-x86_64 $x $y)sh",
        R"sh(l=$(printf 'b\na\nc\n' | sort | head -1); k=$(printf 'b\na\nc\n' | tail -n 1); n=$(printf 'b\na\n' | wc -l); qemu-system-x86_64 $l $k $n)sh",
        R"sh(x=$(echo "foo123bar" | sed -E 's/[0-9]+/-/'); y=$(echo v1.2 | sed 's/^v//;s/\./_/'); qemu-system-x86_64 $x $y)sh",
        R"sh(x=$(echo 52:54:00 | tr -d ':'); y=$(echo aaabbb | tr -s a); z=$(echo abc | tr 'a-c' '1-3'); qemu-system-x86_64 $x $y $z)sh",
        R"sh(x=$(echo "k = v" | grep k | sed 's/.*= //'); y=$(printf 'a1\nb2\n' | grep -o '[0-9]'); qemu-system-x86_64 $x $y)sh",
        R"sh(x=$(echo "a.b" | rev | cut -d. -f1 | rev); z=$(echo " a  b " | xargs); qemu-system-x86_64 $x "$z")sh",
        R"sh(echo "vm" | grep -q v && K="-enable-kvm"; echo "vm" | grep -q x && K="-no"; qemu-system-x86_64 $K)sh",
        R"sh(x=$(sed 's/a/b/' <<< "cat"); y=$(tr a-z A-Z <<< abc); z=$(cut -d- -f1 <<< "q-r"); qemu-system-x86_64 $x $y $z)sh",
        R"sh(x=$(expr 5 - 2); y=$(seq 1 3 | tr '\n' ' '); qemu-system-x86_64 -smp $x $y)sh",
        R"sh(echo "a b" | while read -r p q; do qemu-system-x86_64 -n $p $q; done)sh",
        R"sh(cmd=$(printf '%s\n' "  qemu-system-x86_64 -m 1" "-smp 2 " | tr '\n' ' ' | sed 's/^[ \t]*//;s/[ \t]*$//'); bash -c "$cmd")sh"));

INSTANTIATE_TEST_SUITE_P(
    Brackets, Bash,
    testing::Values(
        R"sh(C="qemu-system-x86_64 -append 'a b' -x -A"; f() { local D=${1}; bash -c "$D"; }; f "$C")sh",
        R"sh(f() { if true; then A=1; fi }; g() { for i in 1 2; do B=$i; done }; f; g; if { true; } then C=3; fi; qemu-system-x86_64 $A $B $C)sh",
        R"sh(D=disk.img; N=; qemu-system-x86_64 ${D:+-drive "file=$D,if=virtio" -boot c} ${N:+-name "$N"} ${N:--nographic -serial stdio} end)sh",
        R"sh(A="x y"; qemu-system-x86_64 ${A:-no} ${A:+$A} "${A:+$A}" ${U:-"$A" z} ${U:-''} ${U-$A})sh"));

INSTANTIATE_TEST_SUITE_P(
    Cases, Bash,
    testing::Values(
        R"sh(C=0; x=b; case $x in a) A=1;; b) A=2;& c) B=3;; d) C=4;; esac; qemu-system-x86_64 "$A" "$B" "$C")sh",
        R"sh(C=0; x=ab; case $x in a*) A=1;;& *b) B=2;;& *c) C=3;;& *) D=4;; esac; qemu-system-x86_64 "$A" "$B" "$C" "$D")sh",
        R"sh(for x in one 7 z; do case "$x" in (one|two) O+=" -a";; [0-9]*) O+=" -b";; ?) O+=" -c";; esac; done; qemu-system-x86_64 $O)sh"));

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, Bash,
    testing::Values(
        R"sh(RAM=4; qemu-system-x86_64 -m $((RAM*1024)) -smp $[RAM/2] -x $((1<<4)) -y $((0x10)) -z $((!0)) $((8*1024*1024*1024)))sh",
        R"sh(i=5; ((i++)); ((i+=2)); let i=i*2; let "i -= 1"; let a=5 b=a*2; qemu-system-x86_64 -smp $i $a $b)sh",
        R"sh(for ((i=0;i<3;i++)); do D="$D -drive file=d$i.img"; done; qemu-system-x86_64 $D)sh",
        R"sh(((5 > 3)) && qemu-system-x86_64 1)sh",
        R"sh(P=8; printf -v Q '%03d' $P; t=$(printf '%02x:%02X' 10 255); qemu-system-x86_64 $Q "$t" $(printf -- '-m %dM' 512) $(printf '%s,' a b c))sh"));

INSTANTIATE_TEST_SUITE_P(
    Arrays, Bash,
    testing::Values(
        R"sh(args=(); args+=(-m 2G); args[${#args[@]}]="-smp"; args[${#args[@]}]=4; qemu-system-x86_64 "${args[@]}")sh",
        R"sh(a=(1 2 3 4); qemu-system-x86_64 "${a[@]:1:2}" "${a[@]:2}" "${a[-1]}" "${#a[@]}" "${!a[@]}" "${a[1+1]}")sh",
        R"sh(declare -A m=([cpu]=host [mem]=4G); m[x]=y; k=x; qemu-system-x86_64 -cpu ${m[cpu]} -m ${m[mem]} -name "${m[x]}${m[$k]}")sh",
        R"sh(args=(
  # comment
  -m 2G   # more
  -drive "file=a b.img,if=virtio"
)
qemu-system-x86_64 "${args[@]}")sh",
        R"sh(arr=("-m 1G" "-smp 2"); qemu-system-x86_64 ${arr[@]} "${arr[@]}" "${arr[*]}")sh",
        R"sh(x=1; x+=2; y=(a); y+=(b c); y[1]+=z; qemu-system-x86_64 $x ${y[*]})sh",
        R"sh(arr=(a b c); for i in "${!arr[@]}"; do O="$O $i=${arr[$i]}"; done; qemu-system-x86_64 $O)sh",
        R"sh(mapfile -t A <<< $'x\ny'; qemu-system-x86_64 "${A[@]}")sh",
        R"sh(M="-m"; N="1G"; C=(qemu-system-x86_64 $M $N); C+=(-name "x y"); "${C[@]}")sh"));

INSTANTIATE_TEST_SUITE_P(
    Variables, Bash,
    testing::Values(
        R"sh(V=abc.def.ghi; qemu-system-x86_64 -name ${V%.*} ${V%%.*} ${V#*.} ${V##*.} ${V/abc/X} ${V//./-} ${V/#abc/Y} ${V/%ghi/Z} ${V:2:3} ${V: -3} ${V^} ${V^^} ${V,,})sh",
        R"sh(x="${0##*/}"; y="${x%.sh}"; z="${x/%.*/}"; qemu-system-x86_64 $y $z)sh",
        R"sh(n=; qemu-system-x86_64 ${n:-def} ${n:+no} "${n}" $n ${u-unset} ${n-set})sh",
        R"sh(DISK=${1:-disk.img}; : ${MEM:=2G}; : "${CPU:=host}"; qemu-system-x86_64 $DISK $MEM $CPU)sh",
        R"sh(set -- one "two three"; qemu-system-x86_64 "$@" "$#" "${1}" "${2:0:3}" "${@:2}")sh",
        R"sh(v=name; name=val; qemu-system-x86_64 ${!v})sh",
        R"sh(x="a,b,c"; IFS=','; for i in $x; do O="$O-$i"; done; unset IFS; qemu-system-x86_64 $O)sh",
        R"sh(IFS=',' read -r -a parts <<< "a,b,c"; read -r a b <<< "one two three"; qemu-system-x86_64 "${parts[@]}" "$a" "$b")sh",
        R"sh(qemu-system-x86_64 -name {a,b}.img -drive file=d{1..3}.img '{c,d}' {e} x{f,g})sh",
        R"sh(a=b; b=c; eval "z=\$$a"; qemu-system-x86_64 $z)sh",
        R"sh(cd /tmp; P=$PWD; Q=$(pwd); qemu-system-x86_64 $P $Q)sh",
        R"sh(s="a b  c"; qemu-system-x86_64 $s "$s" ${s// /_} ~/vm "~")sh",
        R"sh(x="A=1 B=2"; for kv in $x; do k=${kv%%=*}; v=${kv#*=}; O="$O $k:$v"; done; qemu-system-x86_64 $O)sh",
        R"sh(A=$'line1\nline2'; qemu-system-x86_64 "${A//$'\n'/ }")sh",
        R"sh(A=(); q() { qemu-system-x86_64 -a "$@" "${A[@]}" "" "x$@" ''; }; q)sh",
        R"sh(e=""; qemu-system-x86_64 "$e" $e "" ''  "a${A[@]}b")sh"));

INSTANTIATE_TEST_SUITE_P(
    Commands, Bash,
    testing::Values(
        R"sh(f() { echo "-m $1"; }; g() { echo "a note" >&2 >/dev/null; echo val; }; qemu-system-x86_64 $(f 512) $(g))sh",
        R"sh(x=$(cat <<EOF
-m 1G
-smp 2
EOF
)
qemu-system-x86_64 $x)sh",
        R"sh(while read -r l; do O="$O $l"; done <<EOF
-a
-b
EOF
qemu-system-x86_64 $O)sh",
        R"sh(getm() { local v="$1"; case "$v" in small) echo 1G;; big) echo 8G;; esac; }; qemu-system-x86_64 -m $(getm big))sh",
        R"sh(c() { return 1; }; if c; then A=1; else A=0; fi; d() { return 0; }; d && B=1; qemu-system-x86_64 $A $B)sh",
        R"sh(x=5; while [ $x -gt 2 ]; do o="$o -s$x"; x=$((x-1)); done; until [ $x -ge 4 ]; do o="$o -t$x"; let x++; done; qemu-system-x86_64 $o)sh",
        R"sh([[ "hello" =~ ^h.l+o$ ]] && A=1; [[ "hello" == *ell* ]] && B=1; [[ abc =~ x ]] && C=1; qemu-system-x86_64 $A $B $C)sh",
        R"sh(x=$(date >/dev/null; echo hi); y=$(echo a > /dev/null); qemu-system-x86_64 $x "[$y]")sh",
        R"sh(X=$(for i in 1 2; do echo -n "$i,"; done); Y=$(echo -e "a\tb" | cut -f2); qemu-system-x86_64 ${X%,} $Y)sh",
        R"sh(. ./lib/common.sh; ARGS=(); add -m $MEM; add -name "a b"; qemu-system-x86_64 "${ARGS[@]}")sh",
        R"sh(export MEM=4G; UNEXPORTED=x; ./start.sh "my vm"; bash ./start.sh other; MEM=5G ./start.sh third)sh",
        R"sh(exec sudo nice -n 5 qemu-system-x86_64 -m 3)sh", R"sh(QEMU="sudo qemu-system-x86_64"; A=1 $QEMU -m 1)sh"));

INSTANTIATE_TEST_SUITE_P(
    Conditions, Bash,
    testing::Values(
        R"sh(x=5 y=; [[ $x == 5* || $y -gt 3 ]] && A=1; [[ -n $x && -z $y ]] && B=1; [ a = b -o c = c ] && C=1; test 1 -lt 2 -a x != y && D=1; qemu-system-x86_64 $A $B $C $D)sh",
        R"sh([[ -v x ]] || A=1; x=; [[ -v x ]] && B=1; [ -z "${x+set}" ] || C=1; [[ ! $x ]] && D=1; qemu-system-x86_64 $A $B $C $D)sh",
        R"sh([[ a < b ]] && A=1; [ b \< a ] || B=1; if ! [ 3 -eq 4 ]; then C=1; elif false; then C=2; else C=3; fi; qemu-system-x86_64 $A $B $C)sh",
        R"sh(n=3; while ((n--)); do o+=" $n"; done; for ((;;)); do o+=" x"; break; done; qemu-system-x86_64 $o $((n > 0 ? 1 : 2)) $((16#ff)) $((010)))sh",
        R"sh(for f in a b c; do [[ $f == b ]] && continue; O+=" $f"; done; while :; do break; done; qemu-system-x86_64 $O)sh",
        R"sh(set -- -m 2G --cpu host rest; while [[ $# -gt 0 ]]; do case $1 in -m) MEM=$2; shift 2;; --cpu) CPU=$2; shift 2;; *) REST+=("$1"); shift;; esac; done; qemu-system-x86_64 -m $MEM -cpu $CPU "${REST[@]}")sh",
        R"sh(getopts abc o -abc; A=$o; getopts abc o -abc; B=$o; OPTIND=1; getopts abc o -c; qemu-system-x86_64 $A $B $o)sh",
        R"sh(set -- -m 2G -s x; while getopts "m:s:" o; do case $o in m) M=$OPTARG;; s) S=$OPTARG;; esac; done; qemu-system-x86_64 -m $M -name $S)sh",
        R"sh(x=y; qemu-system-x86_64 $(if [ "$x" = y ]; then echo "-z"; fi) $([[ $x == n ]] && echo -n) $( [[ $x == y ]] && echo -y ))sh"));

INSTANTIATE_TEST_SUITE_P(
    Lists, Bash,
    testing::Values(
        R"sh(d=(a b); qemu-system-x86_64 "${d[@]/#/file=}" "${d[@]/%/.img}" "${d[@]^^}" "${d[@]: -1}")sh",
        R"sh(d=(a.img b.img); qemu-system-x86_64 "${d[@]%.img}" "${d[@]/./-}")sh",
        R"sh(d=(x y z); j=$(IFS=,; echo "${d[*]}"); IFS=:; k="${d[*]}"; unset IFS; qemu-system-x86_64 "$j" "$k")sh",
        R"sh(set -u; e=(); e2=(a 'b c'); qemu-system-x86_64 ${e[@]+"${e[@]}"} "${e2[@]}" "${e2[@]:-none}")sh",
        R"sh(add() { local -n list=$1; list+=("$2"); }; a=(1); add a 'two 2'; qemu-system-x86_64 "${a[@]}")sh",
        R"sh(a=(1 2 3);  unset 'a[1]'; qemu-system-x86_64 "${a[@]}" "${#a[@]}")sh",
        R"sh(declare -i n=5+3; declare -r R=x; readonly S=y; typeset T=z; local_() { local -a q=(a "$1"); Q=("${q[@]}"); }; local_ 'b c'; qemu-system-x86_64 $n $R $S $T "${Q[@]}")sh",
        R"sh(set -- a 'b c' d; qemu-system-x86_64 "${@: -1}" "${*:1:2}"; shift 2; for arg; do qemu-system-x86_64 "$arg"; done)sh",
        R"sh(cmd=(qemu-system-x86_64 -m 1); "${cmd[@]}" -x & wait)sh",
        R"sh(ARGS="-m 1 \
  -smp 2"
ARGS="$ARGS -name x"
qemu-system-x86_64 $ARGS)sh"));

INSTANTIATE_TEST_SUITE_P(
    Words, Bash,
    testing::Values(
        R"sh(c=; d=z; a=${b:-${c:-$d}}; qemu-system-x86_64 $a "${b:-"y z"}" ${d:+-name "$d w"} ${c:+"$c"} "${#a}" "${d@Q}")sh",
        R"sh(qemu-system-x86_64 $'\x41\t\101\'\"' "a\$b\"c" 'it'\''s' a#b # comment)sh",
        R"sh(qemu-system-x86_64 `echo a \`echo b\`` "$(echo "$(echo 'c d')")")sh",
        R"sh(qemu-system-x86_64 -drive file=~/x,if=ide ~ a*b? "[x]" {a} {1..3}x{,y})sh",
        R"sh(pre_a=1 pre_b=2; qemu-system-x86_64 "${!pre_@}" ${pre_a}G "$((pre_b * 2))M")sh",
        R"sh(X=0; ( cd /tmp; X=1; qemu-system-x86_64 in $X ); qemu-system-x86_64 out "[$X]")sh",
        R"sh(Y=0; f() ( Y=1; qemu-system-x86_64 sub ); f; function g { Z=1; }; g; { qemu-system-x86_64 "[$Y]" $Z; } 2>/dev/null)sh"));

INSTANTIATE_TEST_SUITE_P(
    Starts, Bash,
    testing::Values(
        R"sh(ARGS='-m 1 -name "a b"'; eval qemu-system-x86_64 1 $ARGS; eval "qemu-system-x86_64 2 $ARGS"; CMD="qemu-system-x86_64 -m 2"; sh -c "$CMD -x"; $CMD)sh",
        R"sh(bash <<'EOF'
qemu-system-x86_64 -m 3
EOF)sh",
        R"sh(cat <<-EOF | sh
	qemu-system-x86_64 -m 4
EOF)sh",
        R"sh(echo "qemu-system-x86_64 -m 5" | bash)sh",
        R"sh(set -euo pipefail; shopt -s nullglob; trap 'echo bye >&2' USR1; : "${X:=1}"; qemu-system-x86_64 $X 2>/dev/null)sh",
        R"sh(env FOO=1 qemu-system-x86_64 a; nohup qemu-system-x86_64 b; (exec qemu-system-x86_64 c); command qemu-system-x86_64 d)sh",
        R"sh(true && qemu-system-x86_64 1 || qemu-system-x86_64 2; false && qemu-system-x86_64 3; false || qemu-system-x86_64 4)sh",
        R"sh(x=$(printf '%q ' 'a b' c); eval "qemu-system-x86_64 $x"; y=$(printf '%s,' a b); qemu-system-x86_64 "${y%,}")sh",
        R"sh(while IFS== read -r k v; do declare "$k=$v"; done <<< $'mem=2G\ncpu=host'; qemu-system-x86_64 -m $mem -cpu $cpu)sh",
        R"sh(IFS=: read -r a b _ <<< "x:y:z:w"; qemu-system-x86_64 $a $b)sh"));

}  // namespace
}  // namespace ferry::qemu
