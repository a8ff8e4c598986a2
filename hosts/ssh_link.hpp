// SPDX-License-Identifier: Apache-2.0
// The connection to a host, made anew when it is lost. Private to hosts/.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "hosts/ssh_host.hpp"

namespace ferry::hosts {

class SshLink {
 public:
  SshLink(std::string authority, Connect connect, const SshSettings &settings)
      : authority_(std::move(authority)), connect_(std::move(connect)), settings_(settings) {}

  // Calls `work` with a connection, and once more with another one whenever it throws ConnectionLost, as often as the
  // settings say. nullopt: this host may not be spoken with. Throws Error unreachable.
  template <class Work>
  auto with(const std::filesystem::path &file, const Work &work)
      -> std::optional<decltype(work(std::declval<const std::shared_ptr<sftp::Connection> &>()))> {
    for (unsigned lost = 0;; ++lost) {
      std::shared_ptr<sftp::Connection> connection;
      try {
        connection = connected(file);
        if (!connection) return std::nullopt;
        return work(connection);
      } catch (const sftp::ConnectionLost &why) {
        drop(connection, file, why.what(), lost);
      } catch (const sftp::BadPacket &why) {
        drop(connection, file, why.what(), lost);
      }
    }
  }

  // As Streams::zeros_of, of the connection there is.
  [[nodiscard]] file::Descriptor zeros_of(const std::filesystem::path &file);

  [[nodiscard]] const std::string &authority() const { return authority_; }
  [[nodiscard]] const SshSettings &settings() const { return settings_; }

 private:
  [[nodiscard]] std::shared_ptr<sftp::Connection> connected(const std::filesystem::path &file);
  void drop(const std::shared_ptr<sftp::Connection> &connection, const std::filesystem::path &file,
            const std::string &why, unsigned lost);
  [[noreturn]] void unreachable(const std::filesystem::path &file, const std::string &why, ErrorDetail said) const;

  std::string authority_;
  Connect connect_;
  SshSettings settings_;
  std::mutex guard_;
  std::shared_ptr<sftp::Connection> connection_;
  std::function<ErrorDetail()> why_;
  std::function<file::Descriptor(const std::filesystem::path &)> zeros_of_;
  bool was_connected_ = false;
  bool refused_ = false;
};

}  // namespace ferry::hosts
