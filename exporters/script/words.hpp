// SPDX-License-Identifier: Apache-2.0
// The words of a shell script, quoted in one place: what bash makes of one is exactly the text that went in, whatever
// bytes that has.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ferry::script {

// Text with variables of the script's own in it.
class Word {
 public:
  Word() = default;
  Word(std::string_view text) { append(text); }
  Word(const char *text) { append(text); }
  Word(const std::string &text) { append(text); }
  Word &add(const Word &other);
  Word &variable(std::string_view name);  // "${name}"
  // As QEMU's key lists have it: commas doubled. Of a variable, that of the same name with "_q" is taken, which holds
  // its value so.
  [[nodiscard]] Word in_list() const;
  [[nodiscard]] std::string shell() const;
  [[nodiscard]] bool uses(std::string_view variable) const;

 private:
  void append(std::string_view text);
  struct Part {
    bool is_variable = false;
    std::string text;
  };
  std::vector<Part> parts_;
};

// QEMU's "driver,key=value,...".
class Keys {
 public:
  // The first word has no key ("virtio-net-pci"), or one of its own ("guest=").
  explicit Keys(std::string_view first, const Word &value = {}) : first_(first) { first_.add(value.in_list()); }
  Keys &set(std::string_view key, const Word &value);
  Keys &set(std::string_view key, const char *value) { return set(key, Word(value)); }
  template <std::integral Number>
  Keys &set(std::string_view key, Number value) {
    return set(key, Word(std::to_string(value)));
  }
  // When there is a value.
  Keys &set_some(std::string_view key, std::string_view value) { return value.empty() ? *this : set(key, Word(value)); }
  Keys &on(std::string_view key, bool value = true) { return set(key, Word(value ? "on" : "off")); }
  void replace(const std::string &key, const std::string &value);
  [[nodiscard]] Word word() const;

 private:
  Word first_;
  std::vector<std::pair<std::string, Word>> keys_;
};

// Shown in a comment: one line, whatever it holds.
[[nodiscard]] std::string comment(std::string_view text);

}  // namespace ferry::script
