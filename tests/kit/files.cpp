// SPDX-License-Identifier: Apache-2.0
#include "tests/kit/files.hpp"

#include <algorithm>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <openssl/evp.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include "support/text.hpp"

namespace ferry::test {

void write_file(const std::filesystem::path &file, const Bytes &bytes) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

void write_file(const std::filesystem::path &file, std::string_view text) {
  write_file(file, Bytes(text.begin(), text.end()));
}

Bytes read_file(const std::filesystem::path &file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  Bytes bytes(static_cast<std::size_t>(std::filesystem::file_size(file)));
  in.read(reinterpret_cast<char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return bytes;
}

int run(const std::vector<std::string> &arguments) {
  std::vector<char *> argv;
  for (const auto &argument : arguments) argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed != 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

bool has_program(const std::string &name) { return run({name, "--version"}) == 0 || run({name, "--help"}) == 0; }

ImageFile image_file(const std::filesystem::path &file, ImageFormat declared) {
  ImageFile out;
  out.declared_location = file.string();
  out.pieces.push_back({file, 0, std::nullopt});
  out.declared_format = declared;
  return out;
}

Medium medium(const std::vector<std::filesystem::path> &chain) {
  Medium out;
  for (const auto &file : chain) out.chain.push_back(image_file(file));
  return out;
}

Bytes content(const image::Chain &chain, std::size_t step) {
  Bytes out(static_cast<std::size_t>(chain.virtual_size()));
  for (std::size_t at = 0; at < out.size(); at += step)
    chain.read(at, out.data() + at, std::min(step, out.size() - at));
  return out;
}

std::string content_sha256(const image::Chain &chain) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX *)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  Bytes buffer(1U << 20U);
  for (std::uint64_t at = 0; at < chain.virtual_size();) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), chain.virtual_size() - at));
    chain.read(at, buffer.data(), now);
    EVP_DigestUpdate(hash.get(), buffer.data(), now);
    at += now;
  }
  Bytes digest(32);
  EVP_DigestFinal_ex(hash.get(), digest.data(), nullptr);
  return text::hex(digest);
}

}  // namespace ferry::test
