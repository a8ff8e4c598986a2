#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the manual page or a shell's completion from what the program says of itself, so that they cannot differ.
#
#   from_help.sh PROGRAM man|bash|zsh|fish FILE
set -euo pipefail

program=$1
form=$2
file=$3
name=virt-ferry

# Every command, "disk convert" as one: a command whose help lists others is only the way to those.
commands_below() {
  local command
  while read -r command; do
    if "$program" ${1:+"$1"} "$command" --help | grep -q '^Subcommands:'; then
      commands_below "$command"
    else
      printf '%s\n' "${1:+$1 }$command"
    fi
  done < <("$program" ${1:+"$1"} --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p')
}

# A command's help without what all commands have, and a line for each option: a tab, the option, a tab, the
# explanation.
read_help() {
  local words
  read -r -a words <<<"$1"
  "$program" "${words[@]}" --help | sed -E '/^Exit codes:/,$d; /^  -h,--help /d' | awk '
    /^  [^ ]/ {
      if (entry != "") print entry
      line = substr($0, 3)
      at = match(line, /   */)
      entry = at ? "\t" substr(line, 1, at - 1) "\t" substr(line, at + RLENGTH) : "\t" line "\t"
      next
    }
    /^   +[^ ]/ { sub(/^ +/, ""); entry = entry (entry ~ /\t$/ ? "" : " ") $0; next }
    { if (entry != "") print entry; entry = ""; print }
    END { if (entry != "") print entry }'
}
# The program is asked once for each: all that follows asks many times.
mapfile -t commands < <(commands_below "")
declare -A helps=()
for command in "${commands[@]}"; do helps[$command]=$(read_help "$command"); done
help_of() { printf '%s\n' "${helps[$1]}"; }

# What troff would take for its own, in one line of text.
escaped() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

# Every option of every command: option, explanation, command, separated by tabs.
all_options() {
  local command
  for command in "${commands[@]}"; do
    help_of "$command" | sed -n "s/^\t\(-[^\t]*\)\t\(.*\)/\1\t\2\t$command/p"
  done
}

man_page() {
  local command
  cat <<TROFF
.\" Made by packaging/from_help.sh from the program's own help.
.TH VIRT\-FERRY 1 "" "$("$program" --version | escaped)" "User Commands"
.SH NAME
$name \- move virtual machines from VirtualBox and VMware to libvirt and QEMU
.SH SYNOPSIS
TROFF
  for command in "${commands[@]}"; do
    help_of "$command" | sed -n 's/^Usage: //p' | escaped | sed 's/.*/.B &\n.br/'
  done
  cat <<'TROFF'
.SH DESCRIPTION
Turns the virtual machines of VirtualBox (.vbox) and VMware (.vmx), packages of both (.ovf, .ova, .box), and QEMU
scripts into machines of the user's own libvirt session: with their disks, snapshots, network cards, firmware variables
and identity, so that the guest should not be able to tell that it moved. The source is only read, and every setting
that cannot be kept is named in the report.
.PP
SOURCE is a file, a folder that contains exactly one machine, a name that
.B virt\-ferry list
shows, or
.I pid:N
for a running QEMU. Long options may be abbreviated where no other begins so.
.SH COMMANDS
TROFF
  for command in "${commands[@]}"; do
    printf '.SS %s\n' "$(escaped <<<"$command")"
    help_of "$command" | awk '/^Examples:/ { skip = 1 } /^$/ { skip = 0 } !skip' | escaped | awk -F '\t' '
      /^Usage:/ || /^(Positionals|Options|.*):$/ || /^$/ { next }
      /^\t\\-/ { next } # with the others, below
      /^\t/ { print ".TP"; print ".I " $2; print $3; last = "entry"; next }
      { if (last == "entry") print ".PP"; print; last = "text" }'
  done
  printf '.SH OPTIONS\nEach is followed by the commands that have it.\n'
  # One entry for what several commands explain alike.
  all_options | awk -F '\t' '
    { key = $1 "\t" $2
      if (!(key in of)) order[++count] = key
      of[key] = of[key] (of[key] == "" ? "" : ", ") $3 }
    END { for (i = 1; i <= count; ++i) print order[i] "\t" of[order[i]] }' | sort -f -t "$(printf '\t')" -k1,1.3 -s |
    escaped | awk -F '\t' '{ print ".TP"; print ".B " $1; print $2; print "(" $3 ")" }'
  printf '.SH EXAMPLES\n.nf\n'
  for command in "${commands[@]}"; do
    help_of "$command" | awk '/^Examples:/ { on = 1; next } /^$/ { on = 0 } on' | tr -s '\t' ' ' | escaped
  done | sed "s/^ *//; s/^[.']/\\\\\&&/"
  cat <<'TROFF'
.fi
.SH EXIT STATUS
.TP
.B 0
done
.TP
.B 1
failed
.TP
.B 2
wrong usage
.TP
.B 3
refused: the source cannot be migrated as it is, and the report says why
.TP
.B 4
a batch finished, but some machines did not
.TP
.B 5
likewise, and running the same command again may help
.TP
.B 130
interrupted; what was started is removed
.SH ENVIRONMENT
.TP
.B LIBVIRT_DEFAULT_URI
the libvirt connection where \-\-connect does not name one
.TP
.B NO_COLOR
no colours in text, unless \-\-color says so
.TP
.B TERM
.I dumb
means a terminal that can draw no bar and no colours
.TP
.B XDG_STATE_HOME, XDG_DATA_HOME, XDG_CONFIG_HOME
where the folders below begin
.TP
.B VBOX_USER_HOME
VirtualBox's own configuration
.SH FILES
.TP
.I ~/.local/state/virt\-ferry/runs
the journals of runs, which \fBundo\fR needs, and their reports; for this user alone
.TP
.I ~/.local/state/virt\-ferry/tests
the picture of each machine's last test: NAME.png
.TP
.I ~/.local/share/libvirt/images
where the machines of qemu:///session get their disks, unless \-\-dest says otherwise: NAME.qcow2, NAME\-2.qcow2,
NAME.xml, NAME_VARS.fd
.SH SEE ALSO
.BR virt\-ferry\-manifest (5),
.BR virt\-ferry\-findings (7),
.BR virsh (1),
.BR qemu\-img (1),
.BR virt\-manager (1)
TROFF
}

# What is asked for each option leaves its answer in REPLY: a process for each would take most of the build's end.

# The words that a value may be, of "--mac keep|new|N=MAC": not what stands for a value of the user's.
words_of() {
  local all word out=()
  IFS='|' read -r -a all <<<"$1"
  for word in "${all[@]}"; do [[ $word == *[A-Z]* ]] || out+=("$word"); done
  REPLY=${out[*]}
}
# What the program's explanation tells of a value that the usage calls FORMAT, HOW or WHEN: "text, json or html".
told_words_of() {
  local told=${1/ (lines on stderr)/} words
  told=${told#colours in text: }
  REPLY=
  [[ $told =~ ^([a-z0-9]+(, [a-z0-9]+)*' or '[a-z0-9]+)( .*)?$ ]] || return 0
  words=${BASH_REMATCH[1]//,/}
  REPLY=${words/ or / }
}
# values_of COMMAND: option, its words.
values_of() {
  local option value explanation
  while IFS=$'\t' read -r option value explanation; do
    words_of "$value"
    [[ -n $REPLY ]] || told_words_of "$explanation"
    [[ -z $REPLY ]] || printf '%s\t%s\n' "$option" "$REPLY"
  done < <(help_of "$1" | sed -n 's/^\t\(-.,\)\{0,1\}\(--[a-z-]*\) \([^\t]*\)\t\(.*\)/\2\t\3\t\4/p')
}
# read_values COMMAND: the same, as words_for[option].
declare -A words_for=()
read_values() {
  local option words
  words_for=()
  while IFS=$'\t' read -r option words; do words_for[$option]=$words; done < <(values_of "$1")
}
options_of() { help_of "$1" | sed -n 's/^\t\(-.,\)\{0,1\}\(--[a-z-]*\)[^a-z-].*/\2/p' | tr '\n' ' ' | sed 's/ $//'; }
top_commands() { printf '%s\n' "${commands[@]}" | sed 's/ .*//' | sort -u | tr '\n' ' ' | sed 's/ $//'; }
disk_commands() { printf '%s\n' "${commands[@]}" | sed -n 's/^disk //p' | tr '\n' ' ' | sed 's/ $//'; }

# values_in_json KEY [NUMBER]: a command that takes these values out of our JSON; NUMBER is that of the group.
values_in_json() {
  # shellcheck disable=SC1003 # the backslash is sed's
  printf '%s' 'sed -n '\''s/^ *"' "$1" '": "\(.*\)",\{0,1\}$/\' "${2:-1}" '/p'\'
}

# shellcheck disable=SC2016,SC2059 # the shell that completes expands these
bash_completion() {
  local command option words
  cat <<'BASH'
# bash completion for virt-ferry, made by packaging/from_help.sh from the program's own help.
_virt_ferry_offer() { # names that may have blanks, one a line
  local current=$1 name
  while IFS= read -r name; do
    [[ $name != "$current"* ]] || COMPREPLY+=("$(printf '%q' "$name")")
  done
}
_virt_ferry() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-} options='' values=''
  [[ $command != disk || $COMP_CWORD -lt 3 ]] || command="disk ${COMP_WORDS[2]}"
  COMPREPLY=()
BASH
  printf '  if ((COMP_CWORD == 1)); then\n    mapfile -t COMPREPLY < <(compgen -W "%s help --help --version" -- "$current")\n    return\n  fi\n' \
    "$(top_commands)"
  printf '  if ((COMP_CWORD == 2)) && [[ $command == disk ]]; then\n    mapfile -t COMPREPLY < <(compgen -W "%s" -- "$current")\n    return\n  fi\n' \
    "$(disk_commands)"
  printf '  case "$command $previous" in\n'
  for command in "${commands[@]}"; do
    while IFS=$'\t' read -r option words; do
      printf '    "%s %s") values="%s" ;;\n' "$command" "$option" "$words"
    done < <(values_of "$command")
  done
  printf '  esac\n  case $command in\n'
  for command in "${commands[@]}"; do
    printf '    "%s") options="%s" ;;\n' "$command" "$(options_of "$command")"
  done
  cat <<'BASH'
  esac
  if [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  elif [[ $current != */* ]]; then
    case $command in
BASH
  printf '      inspect | plan | migrate | script) _virt_ferry_offer "$current" < <("${COMP_WORDS[0]}" list --format json 2>/dev/null | %s) ;;\n' \
    "$(values_in_json name)"
  printf '      undo | report) _virt_ferry_offer "$current" < <("${COMP_WORDS[0]}" runs --format json 2>/dev/null | %s | sort -u) ;;\n' \
    "$(values_in_json '\(run\|batch\)' 2)"
  cat <<'BASH'
    esac
  fi
} # without an answer of ours: files
complete -o bashdefault -o default -F _virt_ferry virt-ferry
BASH
}

# escape TEXT CHARACTER...: with a backslash before each of them; a backslash comes first.
escape() {
  REPLY=$1
  local character
  for character in "${@:2}"; do REPLY=${REPLY//"$character"/"\\$character"}; done
}
# In single quotes of a shell.
quoted() { REPLY=${1//"'"/"'\\''"}; }
for_fish() { escape "$1" \\ "'"; }
# Inside of [] in what zsh's _arguments takes, in single quotes.
in_brackets() {
  escape "$1" \\ ']' ':' '['
  quoted "$REPLY"
}

# shellcheck disable=SC2016,SC2059
zsh_completion() {
  local command option explanation value words short
  cat <<'ZSH'
#compdef virt-ferry
# zsh completion for virt-ferry, made by packaging/from_help.sh from the program's own help.
ZSH
  printf '_virt_ferry_machines() {\n  local -a names\n  names=("${(@f)$($service list --format json 2>/dev/null | %s)}")\n  compadd -a names\n  _files\n}\n' \
    "$(values_in_json name)"
  printf '_virt_ferry_runs() {\n  local -a names\n  names=("${(@f)$($service runs --format json 2>/dev/null | %s | sort -u)}")\n  compadd -a names\n}\n' \
    "$(values_in_json '\(run\|batch\)' 2)"
  printf '_virt_ferry() {\n  local -a commands arguments\n  commands=('
  while read -r command; do
    quoted "$("$program" "$command" --help | head -n 1 | sed 's/:/\\:/g')"
    printf "\n    '%s:%s'" "$command" "$REPLY"
  done < <(top_commands | tr ' ' '\n')
  cat <<'ZSH'

  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  if [[ $command == disk ]]; then
ZSH
  printf '    if ((CURRENT == 3)); then\n      compadd %s\n      return\n    fi\n' "$(disk_commands)"
  cat <<'ZSH'
    command="disk $words[3]"
    shift words
    ((CURRENT--))
  fi
  shift words
  ((CURRENT--))
  case $command in
ZSH
  for command in "${commands[@]}"; do
    printf "    '%s')\n      arguments=(" "$command"
    read_values "$command"
    while IFS=$'\x1f' read -r short option value explanation; do
      in_brackets "$explanation"
      explanation=$REPLY
      words=${words_for[$option]:-}
      if [[ -z $value ]]; then
        printf "\n        '*%s[%s]'" "$option" "$explanation"
      elif [[ -n $words ]]; then
        printf "\n        '*%s=[%s]:%s:(%s)'" "$option" "$explanation" "$value" "$words"
      else
        case $value in
          DIR) printf "\n        '*%s=[%s]:folder:_files -/'" "$option" "$explanation" ;;
          FILE) printf "\n        '*%s=[%s]:file:_files'" "$option" "$explanation" ;;
          *) printf "\n        '*%s=[%s]:%s: '" "$option" "$explanation" "${value//:/\\:}" ;;
        esac
      fi
    done < <(help_of "$command" | sed -n 's/^\t\(\(-.\),\)\{0,1\}\(--[a-z-]*\) \{0,1\}\([^\t]*\)\t\(.*\)/-\2\x1f\3\x1f\4\x1f\5/p')
    case $command in
      inspect | plan | migrate | script) printf "\n        '*:machine:_virt_ferry_machines'" ;;
      undo | report) printf "\n        '*:run:_virt_ferry_runs'" ;;
      *) printf "\n        '*:file:_files'" ;;
    esac
    printf '\n      )\n      ;;\n'
  done
  cat <<'ZSH'
  esac
  _arguments -s $arguments
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _virt_ferry "$@"
else
  compdef _virt_ferry virt-ferry
fi
ZSH
}

# shellcheck disable=SC2016,SC2059
fish_completion() {
  local command option explanation value words short condition
  echo "# fish completion for virt-ferry, made by packaging/from_help.sh from the program's own help."
  printf 'function __virt_ferry_machines\n    virt-ferry list --format json 2>/dev/null | %s\nend\n' "$(values_in_json name)"
  printf 'function __virt_ferry_runs\n    virt-ferry runs --format json 2>/dev/null | %s | sort -u\nend\n' \
    "$(values_in_json '\(run\|batch\)' 2)"
  while read -r command; do
    printf "complete -c virt-ferry -n __fish_use_subcommand -f -a %s -d '%s'\n" "$command" \
      "$("$program" "$command" --help | head -n 1 | sed "s/'/\\\\'/g")"
  done < <(top_commands | tr ' ' '\n')
  printf "complete -c virt-ferry -n '__fish_seen_subcommand_from disk; and not __fish_seen_subcommand_from %s' -f -a '%s'\n" \
    "$(disk_commands)" "$(disk_commands)"
  for command in "${commands[@]}"; do
    condition="__fish_seen_subcommand_from ${command##* }"
    [[ $command != 'disk '* ]] || condition="__fish_seen_subcommand_from disk; and $condition"
    read_values "$command"
    while IFS=$'\x1f' read -r short option value explanation; do
      words=${words_for[$option]:-}
      printf "complete -c virt-ferry -n '%s' -l %s" "$condition" "${option#--}"
      [[ ${#short} -lt 3 ]] || printf ' -s %s' "${short#--}"
      if [[ -n $words ]]; then
        printf " -x -a '%s'" "$words"
      elif [[ -n $value ]]; then
        case $value in DIR | FILE) printf ' -r' ;; *) printf ' -x' ;; esac
      fi
      for_fish "$explanation"
      printf " -d '%s'\n" "$REPLY"
    done < <(help_of "$command" | sed -n 's/^\t\(\(-.\),\)\{0,1\}\(--[a-z-]*\) \{0,1\}\([^\t]*\)\t\(.*\)/-\2\x1f\3\x1f\4\x1f\5/p')
    case $command in
      inspect | plan | migrate | script) printf "complete -c virt-ferry -n '%s' -a '(__virt_ferry_machines)'\n" "$condition" ;;
      undo | report) printf "complete -c virt-ferry -n '%s' -f -a '(__virt_ferry_runs)'\n" "$condition" ;;
    esac
  done
}

case $form in
  man) man_page >"$file.new" ;;
  bash | zsh | fish) "${form}_completion" >"$file.new" ;;
  *)
    echo "usage: from_help.sh PROGRAM man|bash|zsh|fish FILE" >&2
    exit 2
    ;;
esac
mv "$file.new" "$file"
