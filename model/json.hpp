// SPDX-License-Identifier: Apache-2.0
// The JSON forms of the model. Members, their names and their order are those of model/members.hpp.
//
// The stable form is for people and programs: absent optionals, empty texts and empty lists are left out; enumerators
// are their C++ names; sizes are in bytes. An object's "origin" is {line, path}, with "file" only where it is not the
// machine's own; bytes that are not UTF-8 are replaced.
//
// The exact form goes from one process of ours to another: from_exact_json() gives back every member and every byte. It
// is of no version: both ends are the same program. The one header with nlohmann-json's type.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "model/machine.hpp"
#include "model/observed.hpp"

namespace ferry {

using Json = nlohmann::ordered_json;

// What the stable form leaves out because the reader knows it.
struct JsonContext {
  std::filesystem::path base{};     // files below this folder are written relative to it; empty: absolute
  std::filesystem::path machine{};  // the file whose places are written without their file
};

[[nodiscard]] Json to_json(const Place &place, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Finding &finding, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Medium &medium, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Hardware &hardware, const JsonContext &context = {});
[[nodiscard]] Json to_json(const Machine &machine, const std::filesystem::path &base = {});
[[nodiscard]] Json to_json(const LedgerEntry &entry, const JsonContext &context = {});
[[nodiscard]] Json to_json(const LedgerCounts &counts);
[[nodiscard]] Json to_json(const Observed &observed);

// The exact form of what an importer gives.
[[nodiscard]] std::string to_exact_json(const ImportedMachine &imported);
// Reads it back. The text may come from a process that was taken over: what is not of the form, a number that does not
// fit, an unknown member or enumerator, a snapshot whose parent does not stand before it, is an Error malformed.
[[nodiscard]] ImportedMachine from_exact_json(std::string_view text);

}  // namespace ferry
