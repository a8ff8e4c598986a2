// SPDX-License-Identifier: Apache-2.0
// Makes what a plan wants in a staging folder: disks, copies, variable stores, the XML. The source is only read.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "migration/run.hpp"

namespace ferry::migration {

struct MakeRequest {
  const MachinePlan &plan;
  const Options &options;
  std::filesystem::path staging;
  std::string domain_xml;  // as it is to be defined
};

// Adds to result's disks and findings. Throws what converters throw, and cancelled.
void make_files(const MakeRequest &request, Progress *progress, const std::stop_token &stop, RunResult &result);

void refuse_when_stopped(const MachinePlan &plan, const std::stop_token &stop);

}  // namespace ferry::migration
