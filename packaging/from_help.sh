#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the manual page or the completion for bash from what the program says of itself, so that they cannot differ.
#
#   from_help.sh PROGRAM man|bash FILE
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

# help_of COMMAND: its help without what all commands have, and a line for each option: a tab, the option, a tab, the
# explanation.
help_of() {
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

# What troff would take for its own, in one line of text.
escaped() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

man_page() {
  local command
  cat <<TROFF
.\" Made by packaging/from_help.sh from the program's own help.
.TH VIRT\-FERRY 1 "" "$("$program" --version | escaped)" "User Commands"
.SH NAME
$name \- move virtual machines from VirtualBox and VMware to libvirt and QEMU
.SH SYNOPSIS
TROFF
  while read -r command; do
    help_of "$command" | sed -n 's/^Usage: //p' | escaped | sed 's/.*/.B &\n.br/'
  done < <(commands_below "")
  cat <<'TROFF'
.SH DESCRIPTION
Turns the virtual machines of VirtualBox (.vbox) and VMware (.vmx), and packages of both (.ovf, .ova, .box), into machines
of the user's own libvirt session: with their disks, snapshots, network cards, firmware variables and
identity, so that the guest should not be able to tell that it moved. The source is only read, and every setting that
cannot be kept is named in the report.
.SH COMMANDS
TROFF
  while read -r command; do
    printf '.SS %s\n' "$(escaped <<<"$command")"
    help_of "$command" | escaped | awk -F '\t' '
      /^Usage:/ || /^(Positionals|Options):$/ || /^$/ { next }
      /^\t/ { print ".TP"; print ".B " $2; print $3; last = "entry"; next }
      /:$/ { print ".PP"; print ".I " $0; next }
      { if (last == "entry") print ".PP"; print; last = "text" }'
  done < <(commands_below "")
  cat <<'TROFF'
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
.B 130
interrupted; what was started is removed
.SH ENVIRONMENT
.TP
.B LIBVIRT_DEFAULT_URI
the libvirt connection where \-\-connect does not name one
.SH SEE ALSO
.BR virsh (1),
.BR qemu\-img (1),
.BR virt\-manager (1)
TROFF
}

# shellcheck disable=SC2016 # the shell that completes expands these
completion() {
  local command option choices
  cat <<'BASH'
# bash completion for virt-ferry, made by packaging/from_help.sh from the program's own help.
_virt_ferry() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]:-} options='' values=''
  [[ $command != disk || $COMP_CWORD -lt 3 ]] || command="disk ${COMP_WORDS[2]}"
  COMPREPLY=()
BASH
  printf '  if ((COMP_CWORD == 1)); then\n    mapfile -t COMPREPLY < <(compgen -W "%s --help --version" -- "$current")\n    return\n  fi\n' \
    "$(commands_below "" | sed 's/ .*//' | sort -u | tr '\n' ' ' | sed 's/ $//')"
  printf '  if ((COMP_CWORD == 2)) && [[ $command == disk ]]; then\n    mapfile -t COMPREPLY < <(compgen -W "%s" -- "$current")\n    return\n  fi\n' \
    "$(commands_below "" | sed -n 's/^disk //p' | tr '\n' ' ' | sed 's/ $//')"
  printf '  case "$command $previous" in\n'
  while read -r command; do
    # "--mac keep|new|N=MAC": the words, not what stands for a value of the user's.
    help_of "$command" | sed -n 's/^\t\(-.,\)\{0,1\}\(--[a-z-]*\) \([^\t]*|[^\t]*\)\t.*/\2 \3/p' | while read -r option choices; do
      printf '    "%s %s") values="%s" ;;\n' "$command" "$option" \
        "$(tr '|' '\n' <<<"$choices" | grep -v '[A-Z]' | tr '\n' ' ' | sed 's/ $//')"
    done
  done < <(commands_below "")
  printf '  esac\n  case $command in\n'
  while read -r command; do
    printf '    "%s") options="%s" ;;\n' "$command" \
      "$(help_of "$command" | sed -n 's/^\t\(-.,\)\{0,1\}\(--[a-z-]*\)[^a-z-].*/\2/p' | tr '\n' ' ' | sed 's/ $//')"
  done < <(commands_below "")
  cat <<'BASH'
  esac
  if [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  fi
} # without an answer of ours: files
complete -o bashdefault -o default -F _virt_ferry virt-ferry
BASH
}

case $form in
  man) man_page >"$file.new" ;;
  bash) completion >"$file.new" ;;
  *)
    echo "usage: from_help.sh PROGRAM man|bash FILE" >&2
    exit 2
    ;;
esac
mv "$file.new" "$file"
