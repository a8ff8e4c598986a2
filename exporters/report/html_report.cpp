// SPDX-License-Identifier: Apache-2.0
// The page: totals, causes and a table where there are several machines, then each machine.
#include <algorithm>
#include <numeric>

#include "exporters/report/causes.hpp"
#include "exporters/report/html_kit.hpp"
#include "exporters/report/text_form.hpp"

#include "support/text.hpp"

namespace ferry::report {
namespace {

// Beyond these a page has what matters of each machine, and the rest is one command away: a browser is no database.
constexpr std::size_t kMostWhole = 20;

std::string link_to(const MachineReport &machine, const Document &document) {
  const auto index = static_cast<std::size_t>(&machine - document.machines.data());
  return "<a href=\"#m" + std::to_string(index) + "\">" + html::escaped(machine.name) + "</a>";
}

void add_origin(std::string &out, const Document &document) {
  const auto part = [&out](const std::string &text) {
    if (!text.empty()) out += "<div>" + text + "</div>\n";
  };
  out += "<div class=\"mild\">\n";
  part(html::escaped(document.tool) + (document.host.empty() ? "" : ", " + html::escaped(document.host)));
  part((document.made.empty() ? "" : "made " + html::escaped(document.made)) +
       (document.user.empty() ? "" : " by " + html::escaped(document.user)));
  if (!document.command.empty()) part(html::code(document.command));
  if (!document.batch.empty()) part("batch " + html::code(document.batch));
  out += "</div>\n";
}

// "2 critical, 1 warning"
std::string troubles(const MachineReport &machine) {
  const Trouble trouble = trouble_of(machine);
  std::string out;
  if (trouble.critical > 0) out = "<span class=\"critical\">" + std::to_string(trouble.critical) + " critical</span>";
  if (trouble.warnings > 0)
    out += (out.empty() ? "" : ", ") + ("<span class=\"warning\">" + counted(trouble.warnings, "warning") + "</span>");
  return out.empty() ? "-" : out;
}

void add_table(std::string &out, const Document &document, const std::vector<const MachineReport *> &machines) {
  out +=
      "<h2 id=\"all\">Machines</h2>\n<form id=\"choose\" hidden onsubmit=\"return false\"><label>Containing <input "
      "id=\"word\" type=\"search\"></label><label>Result <select id=\"result\"><option value=\"\">any</option>";
  for (const auto &[status, count] : totals_of(document).counts) {
    const std::string word(to_string(status));
    out += "<option value=\"" + word + "\">" + word + "</option>";
  }
  out += "</select></label><span id=\"shown\" role=\"status\"></span></form>\n";
  out += html::table_head({"Machine", "Result", "Guest", "#Disks", "#Data", "Needs your hand"}, " id=\"machines\"");
  std::size_t rank = 0;
  for (const MachineReport *machine : machines) {
    const std::string status(to_string(machine->status));
    const std::uint64_t data = std::accumulate(machine->disks.begin(), machine->disks.end(), std::uint64_t{0},
                                               [](auto sum, const Disk &disk) { return sum + disk.allocated; });
    out += "<tr data-status=\"" + status + "\"><th scope=\"row\">" + link_to(*machine, document) + "</th>" +
           html::cell(html::tag(status)) + html::cell(html::escaped(machine->guest_os)) +
           html::number_cell(std::to_string(machine->disks.size()));
    out += "<td class=\"number\" data-key=\"" + std::to_string(data) + "\">" + text::human_bytes(data) + "</td>";
    out += "<td data-key=\"" + std::to_string(rank++) + "\">" +
           (machine->refusal ? html::escaped(machine->refusal->detail.message) : troubles(*machine)) + "</td></tr>\n";
  }
  out += "</tbody></table>\n";
}

void add_causes(std::string &out, const Document &document, const std::vector<const MachineReport *> &machines) {
  const std::vector<Cause> causes = causes_of(machines);
  if (causes.empty()) return;
  out += "<h2 id=\"causes\">What needs your hand</h2>\n<ul class=\"plain\">\n";
  for (const Cause &cause : causes) {
    const std::string word(cause.severity ? to_string(*cause.severity) : to_string(cause.status));
    out += "<li class=\"" + word + "\">" + html::tag(word);
    if (!cause.id.empty()) out += " <code>" + html::escaped(cause.id) + "</code>";
    out += "<div>" + html::escaped(cause.message) + "</div>";
    if (!cause.advice.empty()) out += "<div><strong>" + html::escaped(cause.advice) + "</strong></div>";
    out += "<div>" + counted(cause.machines.size(), "machine") + ": ";
    if (cause.machines.size() == machines.size() && machines.size() > 1) {
      out += "all";
    } else {
      for (std::size_t i = 0; i < cause.machines.size(); ++i)
        out += (i == 0 ? "" : ", ") + link_to(*cause.machines[i], document);
    }
    out += "</div></li>\n";
  }
  out += "</ul>\n";
}

void add_rooms(std::string &out, const Totals &totals, const Document &document) {
  if (totals.rooms.empty()) return;
  out += "<h2 id=\"space\">Space and time</h2>\n" + html::table_head({"Folder", "#Needed", "#Available"});
  for (const Room &room : totals.rooms) {
    const bool lacking = room.available && *room.available < room.needed;
    const std::string needed = text::human_bytes(room.needed);
    out += "<tr><th scope=\"row\">" + html::code(room.folder) + "</th>" +
           html::number_cell(lacking ? "<strong class=\"critical\">" + needed + "</strong>" : needed) +
           html::number_cell(room.available ? text::human_bytes(*room.available) : "not known") + "</tr>\n";
  }
  out += "</tbody></table>\n<p>" + html::escaped(estimate_text(totals, document)) + ".</p>\n";
}

void add_overview(std::string &out, const Document &document) {
  const Totals totals = totals_of(document);
  out += std::string("<p class=\"verdict ") + (totals.bad ? "refused" : "migrated") + "\">" +
         counted(document.machines.size(), "machine") + ": " + html::escaped(totals_text(totals)) + "</p>\n";
  out += "<nav aria-label=\"Parts of the report\"><a href=\"#causes\">What needs your hand</a> &middot; ";
  if (!totals.rooms.empty()) out += "<a href=\"#space\">Space and time</a> &middot; ";
  out += "<a href=\"#all\">Machines</a></nav>\n";
  const auto machines = by_trouble(document);
  add_causes(out, document, machines);
  add_rooms(out, totals, document);
  add_table(out, document, machines);
}

}  // namespace

std::string as_html(const Document &document) {
  const bool several = document.machines.size() > 1;
  const html::Share share = document.machines.size() > kMostWhole ? html::Share::brief : html::Share::whole;
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>virt-ferry report</title>";
  out += "<style>" + std::string(html::style()) + "</style></head><body>\n<header><h1>virt-ferry report</h1>\n";
  add_origin(out, document);
  out += "</header>\n<main>\n";
  if (several) add_overview(out, document);
  if (share == html::Share::brief)
    out +=
        "<p class=\"mild\">Notes, settings that are carried over and domain XML are left out of a page of so many "
        "machines: <code>virt-ferry report RUN --format html</code> has them for one.</p>\n";
  for (std::size_t i = 0; i < document.machines.size(); ++i) html::machine_part(out, document.machines[i], i, share);
  out += "</main>\n";
  if (several) out += "<script>" + std::string(html::script()) + "</script>\n";
  return out + "</body></html>\n";
}

}  // namespace ferry::report
