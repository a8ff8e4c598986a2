// SPDX-License-Identifier: Apache-2.0
#include "importers/vagrant/vagrantfile.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <regex>

#include "support/text.hpp"

namespace ferry::vagrant {
namespace {

constexpr std::size_t kLongestLine = 2000;  // bytes; a regular expression needs stack for each

struct Block {
  std::string variable, prefix;  // empty: a block that gives none
  bool conditional = false;
};

// Up to a comment that is not inside of quotes.
std::string_view without_comment(std::string_view line) {
  char quote = '\0';
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != '\0') {
      if (c == '\\') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      return line.substr(0, i);
    }
  }
  return line;
}

bool begins_with_word(std::string_view line, std::string_view word) {
  return line.starts_with(word) && (line.size() == word.size() || line[word.size()] == ' ' || line[word.size()] == '(');
}

// What a plain value is; nullopt for everything that Ruby would have to work out.
std::optional<std::string> plain_value(std::string_view written) {
  static const std::regex kNumber("-?[0-9][0-9_]*(\\.[0-9]+)?"), kSymbol(":[A-Za-z_][A-Za-z0-9_]*"),
      kQuoted("\"([^\"\\\\]*)\"|'([^'\\\\]*)'");
  const std::string value(text::trim(written));
  std::smatch parts;
  if (value == "true" || value == "false" || value == "nil") return value;
  if (std::regex_match(value, kNumber)) {
    std::string out;
    std::copy_if(value.begin(), value.end(), std::back_inserter(out), [](char c) { return c != '_'; });
    return out;
  }
  if (std::regex_match(value, kSymbol)) return value.substr(1);
  if (!std::regex_match(value, parts, kQuoted)) return std::nullopt;
  if (parts[2].matched) return parts[2].str();
  return value.find("#{") == std::string::npos ? std::optional(parts[1].str()) : std::nullopt;
}

class Reader {
 public:
  void line(std::string_view raw, std::uint64_t number) {
    const std::string_view code = text::trim(without_comment(raw));
    if (code.empty() || code.size() > kLongestLine) return;
    if (code == "end" || code.starts_with("end ") || code.starts_with("end)") || code.starts_with("end.")) {
      if (!blocks_.empty()) blocks_.pop_back();
    } else if (!opens_block(std::string(code))) {
      statement(std::string(code), number);
    }
  }

  std::vector<Assignment> take() { return std::move(out_); }

 private:
  bool opens_block(const std::string &code) {
    static const std::regex kProvider(
        R"((\w+)\.vm\.provider[\s(]*[:"']?([\w-]+)["']?.*\bdo\s*\|\s*(\w+)(?:\s*,\s*(\w+))?.*)"),
        kConfigure(R"(Vagrant(?:::Config|\.configure).*\bdo\s*\|\s*(\w+)\s*\|)"),
        kOther(R"(.*\bdo(?:\s*\|([^|]*)\|)?)");
    std::smatch parts;
    if (std::regex_match(code, parts, kProvider) && prefix_of(parts[1].str()) == "config") {
      if (parts[4].matched) overrides_.push_back(parts[4].str());
      blocks_.push_back({parts[3].str(), parts[2].str(), false});
      return true;
    }
    if (std::regex_match(code, parts, kConfigure)) {
      blocks_.push_back({parts[1].str(), "config", false});
      return true;
    }
    constexpr std::array<std::string_view, 9> kWords{"if",  "unless", "case", "while", "until",
                                                     "for", "begin",  "def",  "class"};
    const bool word = std::any_of(kWords.begin(), kWords.end(), [&](auto one) { return begins_with_word(code, one); });
    if (!word && !std::regex_match(code, kOther)) return false;
    blocks_.push_back({"", "", true});
    return true;
  }

  [[nodiscard]] std::string prefix_of(const std::string &variable) const {
    if (std::find(overrides_.begin(), overrides_.end(), variable) != overrides_.end()) return "config";
    for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
      if (!variable.empty() && block->variable == variable) return block->prefix;
    }
    return {};
  }

  void statement(const std::string &code, std::uint64_t number) {
    static const std::regex kAssigned(R"((\w+)((?:\.\w+)+)\s*([-+*/|&]*)=(?![=~>])\s*(.*))"),
        kIndexed(R"((\w+)\.(\w+)\[\s*["':]([^"'\]]*)["']?\s*\]\s*([-+*/|&]*)=(?![=~>])\s*(.*))"),
        kCalled(R"((\w+)((?:\.\w+)+)[\s(]+([\w:"'\[{(].*))"), kBare(R"((\w+)((?:\.\w+)+))");
    std::smatch parts;
    Assignment out{.option = {}, .value = {}, .plain = false, .line = number};
    std::string written;
    bool worked_out = false;  // "||=" and the like
    if (std::regex_match(code, parts, kIndexed)) {
      out.option = "." + parts[2].str() + "." + parts[3].str();
      worked_out = parts[4].length() > 0;
      written = parts[5].str();
    } else if (std::regex_match(code, parts, kAssigned)) {
      out.option = parts[2].str();
      worked_out = parts[3].length() > 0;
      written = parts[4].str();
    } else if (std::regex_match(code, parts, kCalled)) {
      out.option = parts[2].str();
      out.value = parts[3].str();
    } else if (std::regex_match(code, parts, kBare)) {
      out.option = parts[2].str();
    } else {
      return;
    }
    const std::string prefix = prefix_of(parts[1].str());
    if (prefix.empty()) return;
    out.option = prefix + out.option;
    if (!written.empty()) {
      const auto value = plain_value(written);
      out.plain = value && !worked_out &&
                  std::none_of(blocks_.begin(), blocks_.end(), [](const Block &b) { return b.conditional; });
      out.value = value.value_or(written);
    }
    out_.push_back(std::move(out));
  }

  std::vector<Block> blocks_;
  std::vector<std::string> overrides_;  // a provider's second variable: the configuration
  std::vector<Assignment> out_;
};

}  // namespace

std::vector<Assignment> read_vagrantfile(std::string_view text) {
  Reader reader;
  std::uint64_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.line(text.substr(0, end), ++number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.take();
}

}  // namespace ferry::vagrant
