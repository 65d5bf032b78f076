#include "options.hpp"

#include <petsc/private/petscimpl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <libsolve/core/text.hpp>

namespace libsolve_in_petsc {

namespace {

const std::vector<std::string> places = {"auto", "petsc", "csr", "grid"};

std::string trimmed(std::string text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  size_t begin = 0;
  while (begin < text.size() && is_space(text[begin])) ++begin;
  return text.substr(begin);
}

/// A number, a truth value or a word; what is none of the type asked for stays a string, so that
/// the method's own description says what it accepts.
Value one_value(const std::string& type, const std::string& text) {
  if (type == "boolean") {
    for (const char* word : {"", "true", "1", "yes", "on", "TRUE"})
      if (text == word) return Value(true);
    for (const char* word : {"false", "0", "no", "off", "FALSE"})
      if (text == word) return Value(false);
    return Value(text);
  }
  char* end = nullptr;
  errno = 0;
  if (type.starts_with("integer")) {
    const long long v = std::strtoll(text.c_str(), &end, 10);
    if (!text.empty() && *end == '\0' && errno == 0) return Value(std::int64_t{v});
  }
  if (type.starts_with("integer") || type.starts_with("float")) {
    errno = 0;
    const double v = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0' && errno == 0) return Value(v);
  }
  return Value(text);
}

Value value_of(const OptionInfo& option, std::string text) {
  text = trimmed(std::move(text));
  if (!(option.type == "integers" || option.type == "floats" || option.type == "strings"))
    return one_value(option.type, text);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  Value::Array list;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    list.push_back(one_value(option.type == "strings" ? "string" : option.type,
                             trimmed(text.substr(begin, comma - begin))));
    begin = comma + 1;
  }
  return Value(std::move(list));
}

std::string help_of(const OptionInfo& option) {
  std::string text = option.help;
  if (!option.range.empty()) text += "; " + option.range;
  if (!option.choices.empty()) text += "; one of " + join(option.choices);
  return text;
}

/// Keys below "-<prefix><family>" in the database.
std::vector<std::string> keys_below(PetscObject object, const std::string& family) {
  char* all = nullptr;
  petsc::check(PetscOptionsGetAll(object->options, &all));
  const std::string text = all != nullptr ? all : "";
  petsc::check(PetscFree(all));
  const std::string start =
      "-" + std::string(object->prefix != nullptr ? object->prefix : "") + family;
  std::vector<std::string> keys;
  for (size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    if (at > 0 && text[at - 1] != ' ') continue;
    const size_t begin = at + start.size();
    keys.push_back(text.substr(begin, std::min(text.find(' ', begin), text.size()) - begin));
  }
  return keys;
}

std::vector<std::string> names_of(std::string_view kind) {
  std::vector<std::string> names = Session::get().registry().names(kind);
  std::erase(names, pc_of_ksp);
  return names;
}

std::string unknown_method(const Choice& choice, const Registry& registry) {
  const std::vector<std::string> names = names_of(choice.kind);
  const std::string near = nearest_name(choice.method, names);
  const std::string absent = registry.plugin_log().why_absent(choice.method);
  std::string text = "libsolve has no " + std::string(choice.kind) + " '" + choice.method + "'";
  if (!near.empty()) text += "; did you mean '" + near + "'?";
  if (!absent.empty()) text += "; " + absent;
  if (names.empty()) {
    text += "; no plugin of libsolve was found:\n" + registry.plugin_log().to_text();
  } else {
    text += "; it has " + join(names);
  }
  return text;
}

}  // namespace

const ComponentInfo& Choice::info() const {
  const Registry& registry = Session::get().registry();
  const ComponentInfo* found = registry.find(kind, method);
  if (found == nullptr || method == pc_of_ksp)
    throw InputError({}, "-" + family + "method", unknown_method(*this, registry));
  return *found;
}

bool Choice::has_option(std::string_view key) const {
  for (const OptionInfo& option : info().options)
    if (option.name == key) return true;
  return false;
}

std::string Choice::view() const {
  std::string text = "  method: " + method;
  for (const auto& [key, value] : options.as_table()) text += ", " + key + " = " + value.to_text();
  return text + "\n";
}

void read_choice(PetscObject object, Choice& choice, const ReadOption& read) {
  const std::string start = "-" + choice.family;
  if (const auto name =
          read(start + "method", "one of " + join(names_of(choice.kind)), choice.method)) {
    if (trimmed(*name) != choice.method) choice.options = Value();
    choice.method = trimmed(*name);
  }
  const ComponentInfo& info = choice.info();

  std::vector<std::string> known = {"method", "operator"};
  if (const auto word =
          read(start + "operator", "what it works on; one of " + join(places), choice.works_on)) {
    choice.works_on = trimmed(*word);
    if (std::find(places.begin(), places.end(), choice.works_on) == places.end())
      throw InputError({}, start + "operator",
                       "must be one of " + join(places) + ", is \"" + choice.works_on + "\"");
  }
  const auto set_elsewhere = [&](const std::string& key) -> std::string {
    for (const auto& [name, option] : choice.elsewhere)
      if (name == key) return option;
    return {};
  };
  for (const OptionInfo& option : info.options) {
    if (!set_elsewhere(option.name).empty()) continue;
    known.push_back(option.name);
    const Value* given = choice.options.find(option.name);
    if (const auto text = read(start + option.name, help_of(option),
                               given != nullptr ? given->to_text() : option.default_value))
      choice.options.set(option.name, value_of(option, *text));
  }

  Diagnostics problems;
  for (const std::string& key : keys_below(object, choice.family)) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string other = set_elsewhere(key);
    const std::string near = nearest_name(key, known);
    problems.add({}, start + key,
                 !other.empty()
                     ? "is set by " + other + " in a program of PETSc's"
                     : "is no option of the " + std::string(choice.kind) + " '" + choice.method +
                           "'" + (near.empty() ? "" : "; closest: " + start + near) + "; it has " +
                           join(known));
  }
  ComponentSpec spec(choice.method);
  spec.options = choice.options;
  (void)Session::get().registry().resolve(choice.kind, spec, start, problems);
  problems.throw_if_any();
}

}  // namespace libsolve_in_petsc
