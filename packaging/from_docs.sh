#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes a manual page from a page of docs/, so that they cannot differ: paragraphs, lists, tables and blocks of code.
#
#   from_docs.sh PAGE.md NAME SECTION SUMMARY FILE
set -euo pipefail

page=$1
name=$2
section=$3
summary=$4
file=$5

# What troff would take for its own; code and links become bold and plain. \& before a line's beginning keeps a dot or
# a quote there from being a request.
# shellcheck disable=SC2016 # backquotes are the page's
escaped() {
  sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e '/^```/b' \
    -e 's/\[\([^]]*\)\]([^)]*)/\1/g' -e 's/`\([^`]*\)`/\\fB\1\\fR/g' -e 's/\*\*\([^*]*\)\*\*/\\fB\1\\fR/g'
}

{
  printf '.\\" Made by packaging/from_docs.sh from docs/%s.\n' "$(basename "$page")"
  printf '.TH %s %s "" "virt\\-ferry" ""\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n' \
    "$(escaped <<<"${name^^}")" "$section" "$(escaped <<<"$name")" "$(escaped <<<"$summary")"
  tail -n +2 "$page" | escaped | awk '
    function protected(line) { return line ~ /^[.\047]/ ? "\\&" line : line }
    /^```/ { code = !code; print code ? ".PP\n.nf" : ".fi\n.PP"; next }
    code { print protected($0); next }
    /^## / { print ".SH " toupper(substr($0, 4)); next }
    /^\| *(id|\\-\\-\\-)/ || /^\|(\\-)+/ { next }
    /^\| / {
      split(substr($0, 3, length($0) - 4), cell, / \| /)
      print ".TP"; print cell[1] " (" cell[2] ")"; print protected(cell[3])
      if (cell[4] ~ /[^ ]/) print protected(cell[4])
      next
    }
    /^\\- / { print ".IP \\(bu 2"; print substr($0, 4); next }
    /^$/ { print ".PP"; next }
    { print protected($0) }'
  printf '.SH SEE ALSO\n.BR virt\\-ferry (1)\n'
} >"$file.new"
mv "$file.new" "$file"
