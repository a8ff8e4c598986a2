// SPDX-License-Identifier: Apache-2.0
#include "importers/ovf/package.hpp"

#include <algorithm>

#include "importers/ovf/archive.hpp"
#include "importers/ovf/ovf.hpp"

#include "support/file.hpp"
#include "support/on_host.hpp"
#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::ovf {
namespace fs = std::filesystem;
namespace {

// As UTF-16 twice what the XML reader takes. A manifest with a line for each of 100,000 chunks has some 13 MB.
constexpr std::uintmax_t kMaxDescriptorBytes = 2 * std::uintmax_t{xml::kMostBytes};
constexpr std::size_t kHeadBytes = std::size_t{64} << 10U;  // enough to know a descriptor, an archive or gzip by

std::string read_file(const fs::path &file) {
  std::error_code ec;
  if (!on_host::is_regular_file(file, ec)) {
    throw Error(ErrorKind::missing, {.where = {.file = file}, .message = "there is no such file"});
  }
  const std::uintmax_t size = on_host::file_size(file, ec);
  if (!ec && size > kMaxDescriptorBytes) {
    throw Error(ErrorKind::malformed, {.where = {.file = file},
                                       .message = "the file is too large for an OVF descriptor",
                                       .found = std::to_string(size) + " bytes",
                                       .expected = "at most " + std::to_string(kMaxDescriptorBytes) + " bytes"});
  }
  return file::read_start(file, kMaxDescriptorBytes);
}

[[noreturn]] void leads_out(const std::string &name, const Place &where, std::string message) {
  throw Error(ErrorKind::unsafe,
              {.where = where,
               .message = std::move(message),
               .found = "\"" + text::printable(name) + "\"",
               .expected = "a name inside the package's folder",
               .advice = "If you trust the package, put the file beside the descriptor and change the name there."});
}

void check_name(const std::string &name, const Place &where) {
  if (name.empty()) leads_out(name, where, "the package refers to a file without a name");
  if (name.find('\0') != std::string::npos)
    leads_out(name, where, "the package refers to a file with a NUL in its name");
}

void check_inside(const std::string &name, const Place &where) {
  const fs::path path(name);
  if (path.is_absolute()) leads_out(name, where, "the package refers to a file outside its folder");
  if (std::any_of(path.begin(), path.end(), [](const fs::path &part) { return part == ".."; })) {
    leads_out(name, where, "the package refers to a file outside its folder");
  }
}

// The scheme of a URI ("http"), lower case; empty for a relative reference. One letter is a Windows drive.
std::string scheme_of(std::string_view href) {
  const std::size_t colon = href.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  std::string scheme = text::lower_ascii(href.substr(0, colon));
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '.' || c == '-';
  };
  if (scheme[0] < 'a' || scheme[0] > 'z' || !std::all_of(scheme.begin(), scheme.end(), allowed)) return {};
  return scheme;
}

}  // namespace

std::vector<std::string> member_names(std::string_view href, const Place &where) {
  std::string_view relative = text::trim(href);
  const std::string scheme = scheme_of(relative);
  if (scheme == "http" || scheme == "https" || scheme == "ftp" || scheme == "nfs") {
    throw Error(ErrorKind::unsupported,
                {.where = where,
                 .message = "the package refers to a file on the network; virt-ferry downloads nothing",
                 .found = "\"" + text::printable(relative) + "\"",
                 .expected = "a file inside the package",
                 .advice = "Download the file, put it beside the descriptor and change the name there."});
  }
  if (scheme.size() > 1) leads_out(std::string(relative), where, "the package refers to a file outside its folder");
  while (relative.starts_with("./")) relative.remove_prefix(2);
  std::vector<std::string> names{text::percent_decoded(relative)};
  if (names[0] != relative) names.emplace_back(relative);
  for (const std::string &name : names) check_name(name, where);
  return names;
}

Package Package::open(const fs::path &file, const file::Head *head) {
  Package out;
  out.file_ = fs::absolute(file).lexically_normal();
  if (head != nullptr && file::status_of(out.file_) != head->status) head = nullptr;
  const std::string begin =
      head != nullptr ? std::string(head->bytes.begin(), head->bytes.end()) : file::read_start(out.file_, kHeadBytes);
  if (looks_like_ovf(begin)) {
    out.open_folder();
  } else {
    out.take(list_archive(out.file_, head));
  }
  return out;
}

Package Package::of_listing(const fs::path &file, ArchiveListing listing) {
  Package out;
  out.file_ = fs::absolute(file).lexically_normal();
  out.take(std::move(listing));
  return out;
}

void Package::open_folder() {
  shown_as_ = file_;
  descriptor_ = read_file(file_);
  std::error_code ec;
  has_certificate_ = on_host::is_regular_file(fs::path(file_).replace_extension(".cert"), ec);
  const fs::path manifest = fs::path(file_).replace_extension(".mf");
  if (on_host::is_regular_file(manifest, ec)) manifest_ = Text{read_file(manifest), manifest};
}

void Package::take(ArchiveListing listing) {
  archive_ = true;
  gzip_outer_ = listing.gzip;
  index_ = std::move(listing.index);
  has_certificate_ = listing.has_certificate;
  const auto has_suffix = [](const ArchiveMember &member, std::string_view suffix) {
    return text::lower_ascii(fs::path(member.name).extension().string()) == suffix;
  };
  const auto shown = [this](const std::string &name) { return fs::path(file_.string() + "!" + name); };
  const auto descriptor = std::find_if(listing.members.begin(), listing.members.end(),
                                       [&](const ArchiveMember &member) { return has_suffix(member, ".ovf"); });
  if (descriptor == listing.members.end()) {
    throw Error(ErrorKind::malformed, {.where = {.file = file_},
                                       .message = "the archive contains no OVF descriptor",
                                       .found = std::to_string(listing.members.size()) + " members, none named *.ovf",
                                       .expected = "an OVF or OVA package",
                                       .advice = "Check that this is the right file."});
  }
  shown_as_ = shown(descriptor->name);
  descriptor_ = std::move(descriptor->text);
  const std::string stem = fs::path(descriptor->name).replace_extension(".mf").string();
  for (ArchiveMember &member : listing.members) {
    if (has_suffix(member, ".mf") && (!manifest_ || member.name == stem)) {
      manifest_ = Text{std::move(member.text), shown(member.name)};
    }
    digests_.emplace(member.name, std::move(member.digests));
    members_.emplace(std::move(member.name), FileRange{file_, member.offset, member.size});
  }
}

std::string Package::digest(const std::string &member, const std::string &algorithm) const {
  const auto known = digests_.find(member);
  if (known == digests_.end()) return {};
  const auto digest = known->second.find(algorithm);
  return digest == known->second.end() ? std::string() : digest->second;
}

Package::Member Package::find(const std::string &name, const Place &where, const names::Places &places) const {
  check_name(name, where);
  if (archive_) {
    check_inside(name, where);
    const auto hit = members_.find(name);
    return {hit == members_.end() ? std::nullopt : std::optional(hit->second), {}};
  }
  Member out{std::nullopt, names::find(name, file_.parent_path(), places)};
  if (out.found.file) out.range = FileRange{*out.found.file, 0, std::nullopt};
  return out;
}

bool looks_like_ovf(std::string_view head) {
  // UTF-16 is told from its NULs; the element's name is what counts.
  std::string plain;
  plain.reserve(head.size());
  std::copy_if(head.begin(), head.end(), std::back_inserter(plain), [](char c) { return c != '\0'; });
  const std::string_view text = plain;
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF\xFF\xFE");
  if (first == std::string_view::npos || text[first] != '<') return false;
  for (std::size_t at = text.find("Envelope"); at != std::string_view::npos; at = text.find("Envelope", at + 1)) {
    // "<Envelope" or "<prefix:Envelope", followed by the end of a name.
    const std::size_t open = text.rfind('<', at);
    const std::string_view prefix = text.substr(open + 1, at - open - 1);
    const bool named =
        prefix.empty() || (prefix.back() == ':' && prefix.find_first_of(" \t\r\n/!?>\"'=") == std::string_view::npos);
    if (named && at + 8 < text.size() && (std::string_view(" \t\r\n>").find(text[at + 8]) != std::string_view::npos)) {
      return true;
    }
  }
  return false;
}

bool looks_like_ova(const fs::path &file, file::Head *head) { return has_descriptor(file, head); }

std::vector<std::string> first_members(const fs::path &file) { return beginning_of(file).names; }

}  // namespace ferry::ovf
