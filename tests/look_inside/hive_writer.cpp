// SPDX-License-Identifier: Apache-2.0
#include "tests/look_inside/hive_writer.hpp"

#include <algorithm>

#include "tests/kit/byte_writer.hpp"

#include "support/text.hpp"

namespace ferry::test {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;
constexpr std::size_t kBin = 4096;  // where the only bin begins

Bytes utf16(const std::string &ascii, bool ended) {
  Bytes out;
  for (const char c : ascii) {
    out.push_back(static_cast<std::uint8_t>(c));
    out.push_back(0);
  }
  if (ended) out.insert(out.end(), 2, std::uint8_t{0});
  return out;
}

class Writer {
 public:
  explicit Writer(const HiveOptions &options) : options_(options), out_(kBin + 32), writer_(out_) {}

  Bytes write(const HiveKey &root) {
    const std::uint32_t at = key(root, 0, true);
    const std::uint64_t end = (out_.size() + kBin - 1) / kBin * kBin;
    if (const std::uint64_t rest = end - out_.size(); rest > 0) {
      const std::uint64_t free = out_.size();
      writer_.grow(end);
      writer_.little(free, rest, 4);  // a free cell: its size is above zero
    }
    writer_.text(kBin, "hbin");
    writer_.little(kBin + 8, end - kBin, 4);
    writer_.text(0, "regf");
    writer_.little(4, options_.first_sequence, 4);
    writer_.little(8, options_.second_sequence, 4);
    writer_.little(20, 1, 4);
    writer_.little(24, 5, 4);
    writer_.little(32, 1, 4);
    writer_.little(36, at, 4);
    writer_.little(40, end - kBin, 4);
    writer_.little(44, 1, 4);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 508; i += 4) {
      sum ^= static_cast<std::uint32_t>(out_[i]) | static_cast<std::uint32_t>(out_[i + 1]) << 8U |
             static_cast<std::uint32_t>(out_[i + 2]) << 16U | static_cast<std::uint32_t>(out_[i + 3]) << 24U;
    }
    writer_.little(508, sum, 4);
    return out_;
  }

 private:
  // A cell for that many bytes; its offset in the bins. Its content begins 4 bytes further.
  std::uint32_t cell(std::size_t length) {
    const std::size_t size = (length + 4 + 7) / 8 * 8, at = out_.size();
    writer_.grow(at + size);
    writer_.little(at, 0x100000000ULL - size, 4);
    return static_cast<std::uint32_t>(at - kBin);
  }
  static std::uint64_t content(std::uint32_t offset) { return kBin + offset + 4; }

  std::uint32_t key(const HiveKey &described, std::uint32_t parent, bool is_root) {
    const std::uint32_t at = cell(76 + described.name.size());
    std::vector<const HiveKey *> children;
    for (const HiveKey &child : described.children) children.push_back(&child);
    std::sort(children.begin(), children.end(), [](const HiveKey *a, const HiveKey *b) {
      return text::lower_ascii(a->name) < text::lower_ascii(b->name);
    });
    std::vector<std::pair<std::uint32_t, std::string>> entries;
    for (const HiveKey *child : children) entries.emplace_back(key(*child, at, false), child->name);
    const std::uint32_t subkeys = entries.empty() ? kNone : list(entries);
    const std::uint32_t values = described.values.empty() ? kNone : value_list(described.values);
    const std::uint64_t in = content(at);
    writer_.text(in, "nk");
    writer_.little(in + 2, is_root ? 0x2c : 0x20, 2);
    writer_.little(in + 16, parent, 4);
    writer_.little(in + 20, entries.size(), 4);
    writer_.little(in + 28, subkeys, 4);
    writer_.little(in + 32, kNone, 4);
    writer_.little(in + 36, described.values.size(), 4);
    writer_.little(in + 40, values, 4);
    writer_.little(in + 44, kNone, 4);
    writer_.little(in + 48, kNone, 4);
    writer_.little(in + 72, described.name.size(), 2);
    writer_.text(in + 76, described.name);
    return at;
  }

  std::uint32_t list(const std::vector<std::pair<std::uint32_t, std::string>> &entries) {
    using Lists = HiveOptions::Lists;
    if (options_.lists == Lists::of_lists && entries.size() > 1) {
      const auto middle = entries.begin() + static_cast<long>(entries.size() / 2);
      const std::uint32_t first = plain_list({entries.begin(), middle}, Lists::hashed);
      const std::uint32_t second = plain_list({middle, entries.end()}, Lists::plain);
      const std::uint32_t at = cell(4 + 8);
      writer_.text(content(at), "ri");
      writer_.little(content(at) + 2, 2, 2);
      writer_.little(content(at) + 4, first, 4);
      writer_.little(content(at) + 8, second, 4);
      return at;
    }
    return plain_list(entries, options_.lists == Lists::of_lists ? Lists::hashed : options_.lists);
  }

  std::uint32_t plain_list(const std::vector<std::pair<std::uint32_t, std::string>> &entries, HiveOptions::Lists kind) {
    using Lists = HiveOptions::Lists;
    const std::size_t width = kind == Lists::plain ? 4 : 8;
    const std::uint32_t at = cell(4 + width * entries.size());
    writer_.text(content(at), kind == Lists::plain ? "li" : kind == Lists::hashed ? "lh" : "lf");
    writer_.little(content(at) + 2, entries.size(), 2);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      writer_.little(content(at) + 4 + i * width, entries[i].first, 4);
      if (width == 4) continue;
      std::uint32_t hash = 0;
      for (const char c : entries[i].second)
        hash = hash * 37 + static_cast<std::uint32_t>(c >= 'a' && c <= 'z' ? c - 32 : c);
      if (kind == Lists::hashed) {
        writer_.little(content(at) + 8 + i * width, hash, 4);
      } else {
        writer_.text(content(at) + 8 + i * width, entries[i].second.substr(0, 4));
      }
    }
    return at;
  }

  std::uint32_t value_list(const std::vector<HiveValue> &values) {
    std::vector<std::uint32_t> cells;
    for (const HiveValue &one : values) cells.push_back(value(one));
    const std::uint32_t at = cell(4 * cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) writer_.little(content(at) + 4 * i, cells[i], 4);
    return at;
  }

  std::uint32_t value(const HiveValue &one) {
    const std::uint32_t at = cell(20 + one.name.size());
    const std::uint64_t in = content(at);
    writer_.text(in, "vk");
    writer_.little(in + 2, one.name.size(), 2);
    writer_.little(in + 16, 1, 2);
    writer_.text(in + 20, one.name);
    if (const auto *number = std::get_if<std::uint32_t>(&one.data)) {
      writer_.little(in + 4, 0x80000004U, 4);
      writer_.little(in + 8, *number, 4);
      writer_.little(in + 12, 4, 4);
      return at;
    }
    Bytes data;
    if (const auto *text = std::get_if<std::string>(&one.data)) {
      data = utf16(*text, true);
    } else {
      for (const std::string &one_text : std::get<std::vector<std::string>>(one.data)) {
        const Bytes part = utf16(one_text, true);
        data.insert(data.end(), part.begin(), part.end());
      }
      data.insert(data.end(), 2, std::uint8_t{0});
    }
    const std::uint32_t place = cell(data.size());
    std::copy(data.begin(), data.end(), out_.begin() + static_cast<long>(content(place)));
    writer_.little(in + 4, data.size(), 4);
    writer_.little(in + 8, place, 4);
    writer_.little(in + 12, std::holds_alternative<std::string>(one.data) ? 1 : 7, 4);
    return at;
  }

  HiveOptions options_;
  Bytes out_;
  ByteWriter writer_;
};

}  // namespace

HiveKey &HiveKey::at(const std::string &path) {
  if (path.empty()) return *this;
  const std::string first = path.substr(0, path.find('\\'));
  const std::string rest = first.size() < path.size() ? path.substr(first.size() + 1) : "";
  auto child = std::find_if(children.begin(), children.end(), [&](const HiveKey &one) { return one.name == first; });
  if (child == children.end()) child = children.insert(children.end(), HiveKey{.name = first});
  return child->at(rest);
}

Bytes make_hive(const HiveKey &root, const HiveOptions &options) { return Writer(options).write(root); }

Bytes make_hive_log(std::uint32_t sequence) {
  Bytes out(1024);
  ByteWriter writer(out);
  writer.text(0, "regf");
  writer.little(4, sequence, 4);
  writer.little(8, sequence, 4);
  writer.text(512, "HvLE");
  writer.little(512 + 4, 512, 4);
  writer.little(512 + 12, sequence, 4);
  return out;
}

HiveKey system_hive(const WindowsSettings &settings) {
  HiveKey root{.name = "ROOT"};
  root.at("Select").values = {{"Current", settings.current},
                              {"Default", settings.current},
                              {"Failed", 0U},
                              {"LastKnownGood", settings.last_known_good}};
  for (const std::uint32_t number : {settings.current, settings.last_known_good}) {
    HiveKey &set = root.at("ControlSet00" + std::to_string(number));
    set.at("Control\\ComputerName\\ComputerName").values = {{"ComputerName", settings.computer}};
    set.at("Control\\Session Manager\\Environment").values = {{"PROCESSOR_ARCHITECTURE", settings.architecture}};
    set.at("Control\\ProductOptions").values = {{"ProductType", settings.product_type}};
    for (const auto &[name, start] : settings.services)
      set.at("Services\\" + name).values = {{"ErrorControl", 1U}, {"Start", start}, {"Type", 1U}};
  }
  return root;
}

HiveKey software_hive(const WindowsSettings &settings) {
  HiveKey root{.name = "ROOT"};
  std::vector<HiveValue> &values = root.at("Microsoft\\Windows NT\\CurrentVersion").values;
  values = {{"ProductName", settings.product}, {"CurrentBuildNumber", settings.build}, {"CurrentVersion", "6.1"}};
  if (settings.has_major) {
    values.push_back({"CurrentMajorVersionNumber", 10U});
    values.push_back({"CurrentMinorVersionNumber", 0U});
  }
  if (!settings.release.empty())
    values.push_back({settings.has_major ? "DisplayVersion" : "CSDVersion", settings.release});
  return root;
}

}  // namespace ferry::test
