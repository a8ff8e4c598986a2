// SPDX-License-Identifier: Apache-2.0
// Paths in file systems of Unix' kind: folders, and links that lead elsewhere.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converters/guest/file_system.hpp"

namespace ferry::guest {

// `tree` has Node, root(), child(folder, name) -> optional<Node>, is_folder(node), is_link(node) and target_of(link).
// Links are followed; nullopt: there is nothing at that path. Throws malformed for links that lead to each other.
template <class Tree>
std::optional<typename Tree::Node> find_node(const Tree &tree, std::string_view path) {
  std::vector<std::string> left = parts_of(path);
  std::reverse(left.begin(), left.end());  // the next one last
  std::vector<typename Tree::Node> above{tree.root()};
  int links = 0;
  while (!left.empty()) {
    const std::string part = std::move(left.back());
    left.pop_back();
    if (part == ".") continue;
    if (part == "..") {
      if (above.size() > 1) above.pop_back();
      continue;
    }
    if (!tree.is_folder(above.back())) return std::nullopt;
    auto node = tree.child(above.back(), part);
    if (!node) return std::nullopt;
    if (!tree.is_link(*node)) {
      above.push_back(std::move(*node));
      continue;
    }
    if (++links > kMostLinks) malformed("links lead to each other");
    const std::string target = tree.target_of(*node);
    if (target.starts_with('/')) above.resize(1, above.front());
    std::vector<std::string> parts = parts_of(target);
    left.insert(left.end(), parts.rbegin(), parts.rend());
  }
  return above.back();
}

}  // namespace ferry::guest
