// SPDX-License-Identifier: Apache-2.0
// Variable stores, load options and nvram files, built byte by byte for the tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "converters/firmware/variable.hpp"
#include "tests/kit/folder.hpp"

namespace ferry::firmware::testing {

using Bytes = std::vector<std::uint8_t>;

inline Bytes bytes(std::string_view text) { return {text.begin(), text.end()}; }

inline void put(Bytes &out, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) out.push_back(i < 8 ? static_cast<std::uint8_t>(value >> (8 * i)) : 0);
}
inline void put(Bytes &out, const Bytes &more) { out.insert(out.end(), more.begin(), more.end()); }
inline void put(Bytes &out, const Guid &guid) { out.insert(out.end(), guid.begin(), guid.end()); }
inline void set(Bytes &out, std::size_t offset, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i)
    out.at(offset + static_cast<std::size_t>(i)) = static_cast<std::uint8_t>(value >> (8 * i));
}
inline Bytes utf16(std::u16string_view text, bool terminated = true) {
  Bytes out;
  for (const char16_t unit : text) put(out, unit, 2);
  if (terminated) put(out, 0, 2);
  return out;
}

// ---- EDK2 stores ----

struct StoredVariable {
  std::u16string name;
  Guid guid = kGlobalGuid;
  Bytes data;
  std::uint32_t attributes = 7;
  std::uint8_t state = 0x3F;
  std::uint8_t timestamp_byte = 0;
};

inline Bytes record(const StoredVariable &variable) {
  Bytes out;
  put(out, 0x55AA, 2);
  put(out, variable.state, 1);
  put(out, 0, 1);
  put(out, variable.attributes, 4);
  put(out, 0, 8);
  for (int i = 0; i < 16; ++i) put(out, variable.timestamp_byte, 1);
  put(out, 0, 4);
  const Bytes name = utf16(variable.name);
  put(out, name.size(), 4);
  put(out, variable.data.size(), 4);
  put(out, variable.guid);
  put(out, name);
  put(out, variable.data);
  while (out.size() % 4 != 0) out.push_back(0xFF);
  return out;
}

struct Layout {
  std::size_t volume, store;
};
inline constexpr Layout kLayout4m = {0x84000, 0x3FFB8};
inline constexpr Layout kLayout2m = {0x20000, 0xDFB8};
inline constexpr Layout kLayoutTiny = {0x1000, 0x800};

inline void fix_checksum(Bytes &volume) {
  set(volume, 0x32, 0, 2);
  unsigned sum = 0;
  for (std::size_t i = 0; i < 0x48; i += 2) sum += volume[i] + 256U * volume[i + 1];
  set(volume, 0x32, 0x10000 - (sum & 0xFFFFU), 2);
}

inline Bytes store(const std::vector<StoredVariable> &variables = {}, Layout layout = kLayout4m) {
  Bytes out(16, 0);
  put(out, Guid{0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50});
  put(out, layout.volume, 8);
  put(out, bytes("_FVH"));
  put(out, 0x0004FEFF, 4);
  put(out, 0x48, 2);
  put(out, 0, 2);  // checksum
  put(out, 0, 2);
  put(out, 0, 1);
  put(out, 2, 1);
  put(out, layout.volume / 0x1000, 4);
  put(out, 0x1000, 4);
  put(out, 0, 8);
  put(out, Guid{0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92});
  put(out, layout.store, 4);
  put(out, 0x5A, 1);
  put(out, 0xFE, 1);
  put(out, 0, 6);
  for (const StoredVariable &variable : variables) put(out, record(variable));
  out.resize(layout.volume, 0xFF);
  fix_checksum(out);
  return out;
}

// ---- load options ----

inline Bytes node(unsigned type, unsigned subtype, const Bytes &content) {
  Bytes out;
  put(out, type, 1);
  put(out, subtype, 1);
  put(out, content.size() + 4, 2);
  put(out, content);
  return out;
}
inline Bytes end_node() { return node(0x7F, 0xFF, {}); }
inline Bytes file_node(std::u16string_view path) { return node(4, 4, utf16(path)); }
inline Bytes partition_node(unsigned number, std::uint64_t start, std::uint64_t size, const Guid &signature,
                            unsigned format = 2, unsigned signature_type = 2) {
  Bytes content;
  put(content, number, 4);
  put(content, start, 8);
  put(content, size, 8);
  put(content, signature);
  put(content, format, 1);
  put(content, signature_type, 1);
  return node(4, 1, content);
}
inline constexpr Guid kSomePartition = {0x78, 0xc9, 0xbc, 0xeb, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
// PciRoot(0)/Pci(0xD,0)/Sata(0,0xFFFF,0): where VirtualBox has its AHCI controller.
inline Bytes hardware_path() {
  Bytes out = node(2, 1, {0xd0, 0x41, 0x03, 0x0a, 0, 0, 0, 0});
  put(out, node(1, 1, {0, 0x0d}));
  put(out, node(3, 0x12, {0, 0, 0xFF, 0xFF, 0, 0}));
  return out;
}
inline Bytes load_option(std::u16string_view description, const Bytes &path, const Bytes &optional = {},
                         std::uint32_t attributes = 1) {
  Bytes out;
  put(out, attributes, 4);
  put(out, path.size(), 2);
  put(out, utf16(description));
  put(out, path);
  put(out, optional);
  return out;
}
inline Bytes short_path(std::u16string_view file) {
  Bytes out = partition_node(2, 0x1800, 0x20000, kSomePartition);
  put(out, file_node(file));
  put(out, end_node());
  return out;
}
inline Bytes full_path(std::u16string_view file) {
  Bytes out = hardware_path();
  put(out, short_path(file));
  return out;
}
inline Bytes drive_path() {
  Bytes out = hardware_path();
  put(out, end_node());
  return out;
}
inline Bytes boot_order(const std::vector<unsigned> &numbers) {
  Bytes out;
  for (const unsigned number : numbers) put(out, number, 2);
  return out;
}

// ---- containers ----

// One member as VirtualBox's GNU tar writer makes it.
inline Bytes tar_member(const std::string &name, const Bytes &data, char type = '0') {
  Bytes out(512, 0);
  const auto text = [&out](std::size_t offset, const std::string &value) {
    std::copy(value.begin(), value.end(), out.begin() + static_cast<std::ptrdiff_t>(offset));
  };
  text(0, name);
  text(100, "0000644");
  text(108, "0000001");
  text(116, "0000001");
  char size[13];
  std::snprintf(size, sizeof size, "%011o", static_cast<unsigned>(data.size()));
  text(124, size);
  text(136, "14500000000");
  text(148, "        ");
  out[156] = static_cast<std::uint8_t>(type);
  text(257, "ustar  ");
  unsigned sum = 0;
  for (const std::uint8_t byte : out) sum += byte;
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  text(148, checksum);
  out[155] = ' ';
  put(out, data);
  out.resize((out.size() + 511) / 512 * 512, 0);
  return out;
}

inline Bytes vmware_record(const StoredVariable &variable) {
  Bytes out;
  put(out, variable.guid);
  put(out, variable.attributes, 4);
  const Bytes name = utf16(variable.name);
  put(out, name.size() + variable.data.size(), 4);
  put(out, name.size(), 4);
  put(out, name);
  put(out, variable.data);
  return out;
}
inline Bytes vmware_chunk(const std::string &name, const Bytes &data) {
  Bytes out = bytes(name);
  out.resize(8, 0);
  put(out, data.size(), 4);
  put(out, data);
  return out;
}
inline Bytes vmware_area(const std::vector<StoredVariable> &variables, std::size_t size = 262144) {
  Bytes records;
  for (const StoredVariable &variable : variables) put(records, vmware_record(variable));
  Bytes out = bytes("VMWNVRAM");
  put(out, 0, 4);
  put(out, records.size() + 16, 4);
  put(out, records);
  out.resize(size, 0xFF);
  return out;
}
inline Bytes vmware_nvram(const std::vector<StoredVariable> &variables) {
  Bytes out = bytes("MRVN");
  put(out, 1, 4);
  put(out, vmware_chunk("CMOStimA", Bytes(4, 1)));
  put(out, vmware_chunk("CMOS", Bytes(128, 2)));
  put(out, vmware_chunk("ESCD", Bytes(512, 3)));
  put(out, vmware_chunk("EFI_NV", vmware_area(variables)));
  return out;
}

// ---- files ----

class Folder : public ferry::test::TempFolder {
 public:
  std::filesystem::path write(const std::string &name, const Bytes &content) const {
    return TempFolder::write(name, {reinterpret_cast<const char *>(content.data()), content.size()});
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path()), {}));
  }
};

inline Bytes read(const std::filesystem::path &file) { return bytes(ferry::test::read_text(file)); }

}  // namespace ferry::firmware::testing
