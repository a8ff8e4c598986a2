// SPDX-License-Identifier: Apache-2.0
#include "hosts/ssh_host.hpp"

#include <algorithm>
#include <sys/stat.h>

#include "hosts/remote_file.hpp"
#include "hosts/ssh_link.hpp"
#include "support/text.hpp"

namespace ferry::hosts {

namespace fs = std::filesystem;

std::string name_there(const fs::path &path) {
  const std::string there = on_host::path_there(path).string();
  if (there == "/~" || there == "/~/") return ".";
  return there.starts_with("/~/") ? there.substr(3) : there;  // a relative name is one of the home
}

namespace {

constexpr std::size_t kMostEntries = 200'000;  // of a folder; a server may never end a listing

// FNV-1a: an identity for what has no number. 0 is none.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t out = 0xcbf29ce484222325U;
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return out == 0 ? 1 : out;
}

sftp::Connection::Question about(sftp::Type type, const fs::path &path) {
  return sftp::Connection::Question(type).string(name_there(path));
}

std::optional<std::string> resolved(const sftp::Answer &answer) {
  if (answer.type != sftp::Type::name) return std::nullopt;
  sftp::PacketReader said(answer.body());
  const std::vector<sftp::Name> names = sftp::read_names(said);
  if (names.size() != 1 || !names.front().name.starts_with('/') || names.front().name.find('\0') != std::string::npos)
    throw sftp::BadPacket("a resolved path that is none");
  return names.front().name;
}

bool is_plain_name(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

class SshHost final : public on_host::Host {
 public:
  SshHost(std::string authority, Connect connect, const SshSettings &settings)
      : link_(std::make_shared<SshLink>(std::move(authority), std::move(connect), settings)),
        blocks_(std::make_shared<BlockCache>(settings.memory)) {}

  std::optional<file::Status> status(const fs::path &path, file::Links links) override {
    const bool follow = links == file::Links::follow;
    auto out = link_->with(path, [&](const auto &connection) {
      const std::uint32_t of_file = connection->send(about(follow ? sftp::Type::stat : sftp::Type::lstat, path));
      const std::uint32_t of_name = connection->send(about(sftp::Type::realpath, path));
      const sftp::Answer attributes = connection->wait(of_file);
      const auto real = resolved(connection->wait(of_name));
      return status_of(attributes, follow && real ? *real : name_there(path));
    });
    return out ? *out : std::nullopt;
  }

  std::optional<std::vector<on_host::Entry>> list(const fs::path &folder) override {
    auto names = link_->with(folder, [&](const auto &connection) { return names_in(*connection, folder); });
    if (!names || !*names) return std::nullopt;
    std::vector<on_host::Entry> out;
    for (const sftp::Name &name : **names) {
      on_host::Entry entry;
      entry.path = folder / name.name;
      const std::uint32_t mode = name.attributes.mode.value_or(0);
      entry.is_link = S_ISLNK(mode);
      entry.is_file = S_ISREG(mode);
      entry.is_folder = S_ISDIR(mode);
      if (entry.is_link || mode == 0) {
        const auto target = status(entry.path, file::Links::follow);
        entry.is_file = target && target->is_regular();
        entry.is_folder = target && target->is_folder();
      }
      out.push_back(std::move(entry));
    }
    return out;
  }

  std::optional<fs::path> real(const fs::path &path) override {
    auto out = link_->with(path, [&](const auto &connection) -> std::optional<std::string> {
      // The server resolves a name whose last part is not there, too.
      const std::uint32_t of_file = connection->send(about(sftp::Type::stat, path));
      const std::uint32_t of_name = connection->send(about(sftp::Type::realpath, path));
      const bool there = connection->wait(of_file).type == sftp::Type::attributes;
      const auto found = resolved(connection->wait(of_name));
      return there ? found : std::nullopt;
    });
    if (!out || !*out) return std::nullopt;
    return fs::path(std::string(on_host::kRemoteMark) + link_->authority() +
                    fs::path(**out).lexically_normal().string());
  }

  std::shared_ptr<const on_host::File> open(const fs::path &path) override {
    const auto found = status(path, file::Links::follow);
    if (!found) {
      throw Error(ErrorKind::missing,
                  {.where = {.file = path}, .message = "there is no such file", .advice = "Check the path."});
    }
    if (!found->is_regular()) {
      throw Error(ErrorKind::unsafe, {.where = {.file = path},
                                      .message = "this is not a regular file and is not opened",
                                      .found = found->is_folder() ? "a folder" : "a special file",
                                      .expected = "a regular file"});
    }
    return open_remote_file(link_, blocks_, path, *found);
  }

 private:
  std::optional<file::Status> status_of(const sftp::Answer &answer, const std::string &name) const {
    if (answer.type != sftp::Type::attributes) return std::nullopt;
    sftp::PacketReader said(answer.body());
    const sftp::Attributes attributes = sftp::read_attributes(said);
    file::Status out;
    out.device = hash_of(link_->authority());
    out.inode = hash_of(name);
    out.size = attributes.size.value_or(0);
    out.modified = std::int64_t{attributes.modified.value_or(0)} * 1'000'000'000;
    out.changed = out.modified;
    out.mode = attributes.mode.value_or(0);
    out.owner = attributes.owner.value_or(0);
    return out;
  }

  static std::optional<std::vector<sftp::Name>> names_in(sftp::Connection &connection, const fs::path &folder) {
    const sftp::Answer opened = connection.ask(about(sftp::Type::opendir, folder));
    if (opened.type != sftp::Type::handle) return std::nullopt;
    const std::string handle = sftp::PacketReader(opened.body()).text(sftp::kMostHandle);
    std::vector<sftp::Name> out;
    for (;;) {
      const sftp::Answer answer = connection.ask(sftp::Connection::Question(sftp::Type::readdir).string(handle));
      if (answer.type != sftp::Type::name) {
        const bool ended = answer.type == sftp::Type::status &&
                           sftp::PacketReader(answer.body()).number() == static_cast<std::uint32_t>(sftp::Code::end);
        close(connection, handle);
        return ended ? std::optional(std::move(out)) : std::nullopt;
      }
      sftp::PacketReader said(answer.body());
      std::vector<sftp::Name> names = sftp::read_names(said);
      if (names.empty()) throw sftp::BadPacket("a part of a folder's listing with nothing in it");
      for (sftp::Name &name : names) {
        if (is_plain_name(name.name)) out.push_back(std::move(name));
      }
      if (out.size() > kMostEntries) {
        close(connection, handle);
        throw Error(ErrorKind::malformed, {.where = {.file = folder},
                                           .message = "the folder has more files than any with machines",
                                           .expected = "at most " + std::to_string(kMostEntries)});
      }
    }
  }

  static void close(sftp::Connection &connection, const std::string &handle) {
    static_cast<void>(connection.ask(sftp::Connection::Question(sftp::Type::close).string(handle)));
  }

  std::shared_ptr<SshLink> link_;
  std::shared_ptr<BlockCache> blocks_;
};

}  // namespace

std::shared_ptr<on_host::Host> ssh_host(std::string authority, Connect connect, const SshSettings &settings) {
  return std::make_shared<SshHost>(std::move(authority), std::move(connect), settings);
}

}  // namespace ferry::hosts
