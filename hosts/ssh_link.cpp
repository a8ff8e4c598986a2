// SPDX-License-Identifier: Apache-2.0
#include "hosts/ssh_link.hpp"

namespace ferry::hosts {

void SshLink::unreachable(const std::filesystem::path &file, const std::string &why, ErrorDetail said) const {
  if (said.message.empty())
    said.message = was_connected_ ? "the connection to the host '" + authority_ + "' was lost and does not come back"
                                  : "the host '" + authority_ + "' cannot be reached by SFTP";
  if (said.found.empty()) said.found = why;
  if (said.advice.empty())
    said.advice = "Try 'sftp sftp://" + authority_ + "': what works there works here. Then run the same command again.";
  said.where.file = file;
  throw Error(ErrorKind::unreachable, std::move(said));
}

std::shared_ptr<sftp::Connection> SshLink::connected(const std::filesystem::path &file) {
  const std::lock_guard lock(guard_);
  if (connection_ || refused_) return connection_;
  auto streams = connect_(authority_);
  if (!streams) {
    refused_ = true;
    return nullptr;
  }
  why_ = std::move(streams->why);
  zeros_of_ = std::move(streams->zeros_of);
  try {
    connection_ =
        std::make_shared<sftp::Connection>(std::move(streams->from), std::move(streams->to), settings_.patience);
  } catch (const sftp::ConnectionLost &why) {
    if (!was_connected_) unreachable(file, why.what(), why_ ? why_() : ErrorDetail{});
    throw;
  }
  was_connected_ = true;
  return connection_;
}

file::Descriptor SshLink::zeros_of(const std::filesystem::path &file) {
  std::function<file::Descriptor(const std::filesystem::path &)> ask;
  {
    const std::lock_guard lock(guard_);
    ask = zeros_of_;
  }
  return ask ? ask(file) : file::Descriptor{};
}

void SshLink::drop(const std::shared_ptr<sftp::Connection> &connection, const std::filesystem::path &file,
                   const std::string &why, unsigned lost) {
  std::function<ErrorDetail()> said;
  {
    const std::lock_guard lock(guard_);
    if (connection_ == connection) connection_.reset();
    said = why_;
  }
  if (lost >= settings_.tries) unreachable(file, why, said ? said() : ErrorDetail{});
  if (lost > 0) std::this_thread::sleep_for(settings_.pause * (1U << (lost - 1)));
}

}  // namespace ferry::hosts
