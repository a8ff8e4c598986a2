// SPDX-License-Identifier: Apache-2.0
// The swtpm that a script starts beside QEMU, for its folder: "swtpm socket --tpmstate dir=tpm --ctrl type=unixio,
// path=tpm/sock --tpm2 --daemon". Its options take their argument as the next word or behind "=" (getopt_long).
#include <algorithm>
#include <array>

#include "importers/qemu/options.hpp"
#include "importers/qemu/shell_reader.hpp"

namespace ferry::qemu::shell {
namespace {

// Commands that speak of the program and do not start it.
constexpr std::array<std::string_view, 8> kSpeaksOfPrograms = {"echo",  "printf",  "pgrep", "pkill",
                                                               "which", "command", "apt",   "apt-get"};

std::string file_name(const Field &field) { return std::filesystem::path(without_opens(field.text)).filename(); }

// The field that names the program; the end when there is none.
std::size_t program_in(const std::vector<Field> &fields) {
  const auto says_state = [](const Field &field) { return field.text.starts_with("--tpmstate"); };
  if (std::none_of(fields.begin(), fields.end(), says_state)) return fields.size();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string name = file_name(fields[i]);
    if (std::find(kSpeaksOfPrograms.begin(), kSpeaksOfPrograms.end(), name) != kSpeaksOfPrograms.end())
      return fields.size();
    if (name == "swtpm") return i;
  }
  // "$SWTPM", which the script has looked for.
  return has_open(fields.front().text) ? 0 : fields.size();
}

std::string key_value(const std::vector<Key> &keys, std::string_view name) {
  for (const Key &key : keys) {
    if (key.name == name) return key.value;
  }
  return {};
}

void read_state(const std::string &argument, TpmServer &server) {
  const std::vector<Key> keys = parse_keys(argument, "dir");
  server.state = key_value(keys, "dir");
  const std::string uri = key_value(keys, "backend-uri");
  if (uri.starts_with("dir://")) server.state = uri.substr(6);
  if (uri.starts_with("file://")) {
    server.state = uri.substr(7);
    server.state_is_file = true;
  }
}

}  // namespace

bool Reader::note_tpm(const std::vector<Field> &fields) {
  const std::size_t program = program_in(fields);
  if (program == fields.size()) return false;
  TpmServer server;
  server.where = {.file = file_, .line = fields[program].line};
  if (state_.folder) server.folder = *state_.folder;
  for (std::size_t i = program + 1; i < fields.size(); ++i) {
    std::string option = fields[i].text, argument;
    if (const std::size_t sign = option.find('='); option.starts_with("--") && sign != std::string::npos) {
      argument = option.substr(sign + 1);
      option.resize(sign);
    } else if (i + 1 < fields.size()) {
      argument = fields[i + 1].text;
    }
    if (option == "--tpm2") server.tpm2 = true;
    if (option == "--key" || option == "--pwd") server.encrypted = true;
    if (option == "--tpmstate") read_state(argument, server);
    if (option == "--ctrl") server.socket = key_value(parse_keys(argument, "type"), "path");
  }
  if (const auto link = has_open(server.state) ? links_.end() : links_.find(absolute(server.state));
      link != links_.end())
    server.state = link->second;
  tpms_.push_back(std::move(server));
  return true;
}

}  // namespace ferry::qemu::shell
