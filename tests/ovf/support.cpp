// SPDX-License-Identifier: Apache-2.0
#include "tests/ovf/support.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <fstream>
#include <openssl/evp.h>
#include <zlib.h>

#include "tests/paths.hpp"

namespace ferry::ovf::test {
namespace fs = std::filesystem;

void write_file(const fs::path &file, std::string_view text) {
  std::ofstream out(file, std::ios::binary);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

std::string read_range(const FileRange &range) {
  const std::string all = read_text(range.file);
  return all.substr(static_cast<std::size_t>(range.offset),
                    range.length ? static_cast<std::size_t>(*range.length) : std::string::npos);
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef *>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef *>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string hex_digest(std::string_view algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), raw.data(), &length, EVP_get_digestbyname(std::string(algorithm).c_str()),
             nullptr);
  std::string out;
  for (unsigned i = 0; i < length; ++i) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", raw[i]);
    out += digits.data();
  }
  return out;
}

namespace {

void set_kind(archive_entry *entry, const TarMember &member) {
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_size(entry, static_cast<la_int64_t>(member.text.size()));
  switch (member.kind) {
    case TarMember::Kind::file: break;
    case TarMember::Kind::directory: archive_entry_set_filetype(entry, AE_IFDIR); break;
    case TarMember::Kind::symlink:
      archive_entry_set_filetype(entry, AE_IFLNK);
      archive_entry_set_symlink(entry, member.text.c_str());
      break;
    case TarMember::Kind::hardlink: archive_entry_set_hardlink(entry, member.text.c_str()); break;
    case TarMember::Kind::device: archive_entry_set_filetype(entry, AE_IFCHR); break;
    case TarMember::Kind::sparse:
      archive_entry_sparse_add_entry(entry, 0, 1);
      archive_entry_sparse_add_entry(entry, static_cast<la_int64_t>(member.text.size()) - 1, 1);
      break;
  }
  const bool data = member.kind == TarMember::Kind::file || member.kind == TarMember::Kind::sparse;
  if (!data) archive_entry_set_size(entry, 0);
}

}  // namespace

void write_tar(const fs::path &file, const std::vector<TarMember> &members, TarFormat format, bool gzipped) {
  archive *out = archive_write_new();
  if (format == TarFormat::ustar) archive_write_set_format_ustar(out);
  if (format == TarFormat::pax) archive_write_set_format_pax(out);
  if (format == TarFormat::gnu) archive_write_set_format_gnutar(out);
  if (gzipped) archive_write_add_filter_gzip(out);
  if (archive_write_open_filename(out, file.c_str()) != ARCHIVE_OK) throw std::runtime_error("tar");
  for (const TarMember &member : members) {
    archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.name.c_str());
    archive_entry_set_perm(entry, 0644);
    set_kind(entry, member);
    if (archive_write_header(out, entry) < ARCHIVE_WARN) throw std::runtime_error(archive_error_string(out));
    if (archive_entry_size(entry) > 0) archive_write_data(out, member.text.data(), member.text.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

std::string descriptor(const Parts &parts) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
 xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
 xmlns:vmw="http://www.vmware.com/schema/ovf" xmlns:vbox="http://www.virtualbox.org/ovf/machine">
<References>)" +
         parts.references + "</References><DiskSection><Info>d</Info>" + parts.disks + "</DiskSection>" +
         parts.sections + R"(<VirtualSystem ovf:id="machine"><Info>m</Info>)" + parts.system +
         "<VirtualHardwareSection" + parts.hardware_attributes + "><Info>h</Info><System><vssd:VirtualSystemType>" +
         parts.type + "</vssd:VirtualSystemType></System>" + parts.items +
         "</VirtualHardwareSection></VirtualSystem></Envelope>";
}

std::vector<ImportedMachine> import_all(const std::string &text, const ImportOptions &options) {
  const TempFolder folder;
  write_file(folder / "machine.ovf", text);
  std::vector<ImportedMachine> out = import_file(folder / "machine.ovf", options);
  for (const ImportedMachine &imported : out) EXPECT_EQ(imported.ledger.misspelt(), std::vector<std::string>{});
  return out;
}

ImportedMachine import_one(const Parts &parts, const ImportOptions &options) {
  auto machines = import_all(descriptor(parts), options);
  EXPECT_EQ(machines.size(), 1U);
  return std::move(machines.at(0));
}

Hardware hardware_of(const std::string &items, const std::string &type) {
  return import_one({.items = kMemory + items, .type = type}).machine.hardware;
}

ImportedMachine import_fixture(const std::string &name, const ImportOptions &options) {
  return std::move(import_file(fs::path(FERRY_SOURCE_DIR) / "fixtures" / "ovf" / name, options).at(0));
}

void verify_manifest(const std::filesystem::path &file) {
  const Package package = Package::open(file);
  verify_members(package, manifest(package));
}

bool has_finding(const ImportedMachine &imported, std::string_view id) {
  for (const Finding &finding : imported.findings) {
    if (finding.id == id) return true;
  }
  return false;
}

std::size_t count_unknown(const ImportedMachine &imported) {
  std::size_t count = 0;
  for (const LedgerEntry &entry : imported.ledger.entries()) {
    if (entry.disposition != Disposition::unknown) continue;
    ++count;
    ADD_FAILURE() << entry.where.text() << " = " << entry.value;
  }
  return count;
}

LedgerEntry entry(const ImportedMachine &imported, std::string_view path_end) {
  for (const LedgerEntry &entry : imported.ledger.entries()) {
    if (entry.where.path.ends_with(path_end)) return entry;
  }
  ADD_FAILURE() << "no entry " << path_end;
  return {};
}

}  // namespace ferry::ovf::test
