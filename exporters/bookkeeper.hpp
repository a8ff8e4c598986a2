// SPDX-License-Identifier: Apache-2.0
// What every target's description of a machine keeps account of: what became of each field of the model, and what a
// user should know.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "exporters/target.hpp"
#include "model/fields.hpp"

namespace ferry::target {

// The name of a field for Bookkeeper: of the hardware ("cpu.count"), or with a leading '/' of the machine ("/name"). A
// literal is checked by the compiler.
class Field {
 public:
  consteval Field(const char *path) : text_(path) {
    if (*path == '/' ? !has_field<Machine>(path + 1) : !has_field<Hardware>(path)) throw "the model has no such field";
  }
  Field(const std::string &path) : text_(path) {}
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// "controllers.1.drives.0" and the like.
[[nodiscard]] std::string field_at(Field list, std::size_t index);

struct Bookkeeper {
  // `prefix`: Request::field_prefix.
  explicit Bookkeeper(std::string prefix) : prefix_(std::move(prefix)) {}

  Result result;

  void raise(const FindingKind &kind, const Place &where, const std::string &message, std::string advice = {});
  void keep(Field field, std::string_view note = {});
  void translate(Field field, std::string_view note);
  void drop(Field field, std::string_view note);
  // A switch of the source: what is off, there and here, is no loss.
  void drop_if(std::optional<bool> on, Field field, std::string_view note);
  // What was decided of a value before.
  void book(const Account &account);

 private:
  void settle(std::string_view field, Disposition disposition, std::string_view note);

  std::string prefix_;
};

}  // namespace ferry::target
