#include <fmt/format.h>

#include <algorithm>
#include <libsolve/core/text.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <nlohmann/json.hpp>

#include "app.hpp"

namespace app {

namespace {

using Json = nlohmann::ordered_json;
using libsolve::Hdf5File;

Json numbers_below(const Hdf5File& f, const std::string& group) {
  Json object = Json::object();
  if (f.exists(group))
    for (const std::string& name : f.members(group)) {
      const std::vector<double> values = f.numbers(group + "/" + name);
      if (!values.empty()) object[name] = values.front();
    }
  return object;
}

Json attributes_of(const Hdf5File& f, const std::string& object) {
  Json all = Json::object();
  for (const std::string& name : f.attributes(object))
    all[name] = f.attribute_to_text(object, name);
  return all;
}

Json fields_of(const Hdf5File& f, const std::string& group) {
  Json all = Json::array();
  if (!f.exists(group)) return all;
  for (const std::string& name : f.members(group)) {
    const std::string path = group + "/" + name;
    if (f.is_group(path)) {  // weights are sorted by layers
      for (Json field : fields_of(f, path)) {
        field["name"] = name + "/" + field["name"].get<std::string>();
        all.push_back(field);
      }
      continue;
    }
    Json field = {{"name", name}, {"shape", f.shape(path)}};
    for (const char* key : {"units", "description"})
      if (f.has_attribute(path, key)) field[key] = f.text_attribute(path, key);
    all.push_back(field);
  }
  return all;
}

Json summary(const Hdf5File& f) {
  Json object = attributes_of(f, "/");
  object["report"] = attributes_of(f, "/report");
  object["report"]["iterations"] = f.number_attribute("/report", "iterations");
  object["report"]["notes"] = f.texts("/report/notes");
  for (const char* group : {"measures", "seconds", "counts"})
    object["report"][group] = numbers_below(f, std::string("/report/") + group);
  object["metrics"] = numbers_below(f, "/metrics");
  object["environment"] = attributes_of(f, "/environment");
  for (const std::string& plugin : f.members("/environment/plugins"))
    object["environment"]["plugins"][plugin] = attributes_of(f, "/environment/plugins/" + plugin);
  object["case"] = {{"path", f.text_attribute("/case", "path")},
                    {"overrides", f.texts("/case/overrides")},
                    {"resolved", f.text("/case/resolved")}};
  const auto rows = f.shape("/history/iteration");
  object["history"] = {{"rows", rows.empty() ? 0 : rows[0]}, {"columns", f.members("/history")}};
  object["solution"] = fields_of(f, "/solution");
  object["data"] = fields_of(f, "/data");
  if (f.exists("/weights")) {
    object["weights"] = attributes_of(f, "/weights");
    object["weights"]["arrays"] = fields_of(f, "/weights");
    object["operator"] = attributes_of(f, "/operator");
  }
  return object;
}

std::string line_of(const Json& numbers) {
  std::vector<std::string> words;
  for (const auto& [name, value] : numbers.items())
    words.push_back(fmt::format("{} {:.4g}", name, value.is_number() ? value.get<double>() : 0.0));
  return words.empty() ? "-" : libsolve::join(words);
}

void print_fields(const char* title, const Json& fields) {
  for (const Json& field : fields) {
    std::vector<std::string> extents;
    for (const auto& n : field["shape"]) extents.push_back(std::to_string(n.get<std::int64_t>()));
    fmt::print("{:<12} {} [{}]", title, field["name"].get<std::string>(),
               libsolve::join(extents, " x "));
    if (field.contains("units"))
      fmt::print(", {}: {}", field.value("units", ""), field.value("description", ""));
    fmt::print("\n");
  }
}

}  // namespace

int inspect(const std::string& file, bool json) {
  const Hdf5File f = Hdf5File::open(file);
  if (!f.has_attribute("/", "schema") || !f.exists("/report"))
    throw libsolve::IoError("'" + file + "': this HDF5 file is no results file of libsolve");
  const Json s = summary(f);
  if (json) {
    fmt::print("{}\n", s.dump(2));
    return 0;
  }
  const auto text = [](const Json& j) { return j.is_string() ? j.get<std::string>() : j.dump(); };
  const Json& report = s["report"];
  const Json& environment = s["environment"];
  fmt::print("{:<12} schema {}, libsolve {}, {}\n", file, text(s["schema"]),
             text(s["libsolve_version"]), text(s["created"]));
  fmt::print("{:<12} {}\n", "problem", text(report["problem"]));
  fmt::print("{:<12} {} after {:.0f} iterations: {}\n", "report", text(report["status"]),
             report["iterations"].get<double>(), text(report["reason"]));
  fmt::print("{:<12} {}\n", "measures", line_of(report["measures"]));
  fmt::print("{:<12} {}\n", "seconds", line_of(report["seconds"]));
  fmt::print("{:<12} {}\n", "counts", line_of(report["counts"]));
  fmt::print("{:<12} {}\n", "metrics", line_of(s["metrics"]));
  for (const Json& note : report["notes"]) fmt::print("{:<12} {}\n", "note", text(note));
  fmt::print("{:<12} {}, {} rank(s), {} thread(s), {}, {} {}\n", "environment",
             text(environment["host"]), text(environment["num_ranks"]),
             text(environment["num_threads"]), text(environment["device"]),
             text(environment["compiler"]), text(environment["build_type"]));
  fmt::print("{:<12} {} rows: {}\n", "history", s["history"]["rows"].get<std::int64_t>(),
             libsolve::join(s["history"]["columns"].get<std::vector<std::string>>()));
  print_fields("solution", s["solution"]);
  print_fields("data", s["data"]);
  if (s.contains("weights")) {
    fmt::print("{:<12} of {}, trained on {}\n", "weights", text(s["weights"]["network"]),
               text(s["operator"]["description"]));
    print_fields("weights", s["weights"]["arrays"]);
  }
  fmt::print("\n# {}", text(s["case"]["path"]));
  for (const Json& o : s["case"]["overrides"]) fmt::print(" --set {}", text(o));
  fmt::print("\n{}", text(s["case"]["resolved"]));
  return 0;
}

}  // namespace app
