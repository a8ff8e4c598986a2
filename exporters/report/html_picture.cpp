// SPDX-License-Identifier: Apache-2.0
// The picture of a machine before and after: one SVG for each side, which stand beside each other where there is room.
// A board with its firmware on top, from which a line leads to controllers with their drives and to cards with their
// networks.
#include <algorithm>

#include "exporters/report/html_kit.hpp"

#include "support/columns.hpp"
#include "support/text.hpp"
#include "support/xml.hpp"

namespace ferry::report::html {
namespace {

// Units of the drawing: pixels, where the window has 390 or more.
constexpr int kWidth = 360, kRow = 20, kBoxHead = 26, kGap = 10, kStub = 26, kSpine = 12;
// Characters of the drawing's type that fit a box, in columns of a terminal.
constexpr std::size_t kHeadColumns = 44, kRowColumns = 46;

std::string rectangle(int x, int y, int width, int height, std::string_view kind) {
  return "<rect x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" width=\"" + std::to_string(width) +
         "\" height=\"" + std::to_string(height) + "\" rx=\"4\" class=\"" + std::string(kind) + "\"/>";
}

std::string line(int x1, int y1, int x2, int y2) {
  return "<path d=\"M" + std::to_string(x1) + " " + std::to_string(y1) + "L" + std::to_string(x2) + " " +
         std::to_string(y2) + "\"/>";
}

// One line of text, cut where the box ends. The middle goes: names differ at their ends.
std::string words(int x, int y, std::string_view text, std::size_t columns, std::string_view kind = {}) {
  return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\"" +
         (kind.empty() ? "" : " class=\"" + std::string(kind) + "\"") + ">" +
         xml::escaped_content(text::shortened(text::printable(text), columns)) + "</text>";
}

// A drive: a cylinder, as flow charts have it.
std::string cylinder(int x, int y) {
  const std::string left = std::to_string(x), top = std::to_string(y);
  return "<path d=\"M" + left + " " + top + "a5 2 0 0 1 10 0v8a5 2 0 0 1-10 0zm0 0a5 2 0 0 0 10 0\"/>";
}

class Drawing {
 public:
  void board(const std::string &text) {
    out_ += rectangle(0, 0, kWidth, kBoxHead + 4, "board") + words(10, 20, text, kHeadColumns + 6, "head");
    y_ = kBoxHead + 4;
  }

  void controller(const Parts::Controller &controller) {
    const int height = kBoxHead + kRow * static_cast<int>(controller.drives.size());
    begin_box(height);
    out_ += words(kStub + 10, y_ + 18, controller.name, kHeadColumns, "head");
    for (std::size_t i = 0; i < controller.drives.size(); ++i) {
      const int row = y_ + kBoxHead + kRow * static_cast<int>(i);
      out_ += cylinder(kStub + 12, row + 3) + words(kStub + 30, row + 12, controller.drives[i], kRowColumns);
    }
    y_ += height;
  }

  void card(const Parts::Card &card) {
    begin_box(kBoxHead + kRow);
    out_ += words(kStub + 10, y_ + 18, card.name, kHeadColumns, "head");
    const int row = y_ + kBoxHead + 7;
    out_ += line(kStub + 10, row, kStub + 24, row) + words(kStub + 30, row + 5, card.network, kRowColumns);
    y_ += kBoxHead + kRow;
  }

  // `title`: what who cannot see it is told.
  [[nodiscard]] std::string svg(const std::string &title) const {
    const std::string height = std::to_string(y_ + 1);
    return "<svg role=\"img\" aria-label=\"" + xml::escaped_value(text::printable(title)) + "\" viewBox=\"-1 -1 " +
           std::to_string(kWidth + 2) + " " + std::to_string(y_ + 2) + "\" width=\"" + std::to_string(kWidth) +
           "\" height=\"" + height + "\">" + out_ + "</svg>";
  }

 private:
  // The line from the board down to the box that follows, and the box.
  void begin_box(int height) {
    const int top = y_ + kGap, middle = top + kBoxHead / 2;
    out_ += line(kSpine, from_, kSpine, middle) + line(kSpine, middle, kStub, middle) +
            rectangle(kStub, top, kWidth - kStub, height, "part");
    from_ = middle;
    y_ = top;
  }

  std::string out_;
  int y_ = 0;
  int from_ = kBoxHead + 4;  // where the line down has come to
};

std::string told(const Parts &parts, std::string_view side) {
  std::string out = std::string(side) + ": " + parts.board;
  for (const Parts::Controller &controller : parts.controllers) {
    out += "; " + controller.name;
    for (std::size_t i = 0; i < controller.drives.size(); ++i) out += (i == 0 ? ": " : ", ") + controller.drives[i];
  }
  for (const Parts::Card &card : parts.cards) out += "; " + card.name + ": " + card.network;
  return out;
}

std::string side(const Parts &parts, std::string_view name) {
  Drawing drawing;
  drawing.board(parts.board);
  for (const Parts::Controller &controller : parts.controllers) drawing.controller(controller);
  for (const Parts::Card &card : parts.cards) drawing.card(card);
  return "<figure><figcaption>" + std::string(name) + "</figcaption>" + drawing.svg(told(parts, name)) + "</figure>\n";
}

}  // namespace

std::string picture(const Picture &picture) {
  return "<div class=\"picture\">\n" + side(picture.before, "Before") + side(picture.after, "After") + "</div>\n";
}

}  // namespace ferry::report::html
