// SPDX-License-Identifier: Apache-2.0
// Pieces of a page. Everything that comes from a source goes through escaped().
#pragma once

#include <string>
#include <string_view>

#include "exporters/report/report.hpp"

namespace ferry::report::html {

// Style and script of a page, which reach for nothing else.
[[nodiscard]] std::string_view style();
[[nodiscard]] std::string_view script();

// `text` as content: markup is taken from it, and control characters are made visible.
[[nodiscard]] std::string escaped(std::string_view text);
// A word in the colour of the class that it names.
[[nodiscard]] std::string tag(std::string_view word);
[[nodiscard]] std::string code(std::string_view text);
[[nodiscard]] std::string cell(std::string_view content);
[[nodiscard]] std::string number_cell(std::string_view content);
// <table><thead>: headings, the ones that begin with '#' of columns of numbers.
[[nodiscard]] std::string table_head(std::initializer_list<std::string_view> headings,
                                     std::string_view attributes = {});

// The machine before and after, drawn.
[[nodiscard]] std::string picture(const Picture &picture);

// Whether a page of so many machines has all of each: the settings that are kept, the XML.
enum class Share { whole, brief };
// A machine's own part, whose heading has the id "m<index>".
void machine_part(std::string &out, const MachineReport &machine, std::size_t index, Share share);

}  // namespace ferry::report::html
