#include <elf.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/plugin/detail/plugin_file.hpp>
#include <limits>

namespace libsolve::detail {

namespace {

#if defined(__x86_64__)
constexpr Elf64_Half own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half own_machine = EM_AARCH64;
#elif defined(__powerpc64__)
constexpr Elf64_Half own_machine = EM_PPC64;
#elif defined(__riscv)
constexpr Elf64_Half own_machine = EM_RISCV;
#else
constexpr Elf64_Half own_machine = EM_NONE;  // not checked
#endif
constexpr const char* again = "build it again, or copy it again";
constexpr const char* not_one =
    "a plugin is a shared library built by libsolve_add_plugin (see plugins/template)";

std::string machine_name(Elf64_Half machine) {
  switch (machine) {
    case EM_386:
      return "x86, 32 bits";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "ARM, 32 bits";
    case EM_AARCH64:
      return "AArch64";
    case EM_PPC64:
      return "PowerPC 64";
    case EM_RISCV:
      return "RISC-V";
    default:
      return "machine number " + std::to_string(machine);
  }
}

/// The bytes of a file, read by parts.
class FileBytes {
 public:
  explicit FileBytes(const std::string& path)
      : stream_(path, std::ios::binary), size_(std::filesystem::file_size(path)) {
    if (!stream_) throw PluginError("it cannot be read; check its permissions");
  }
  std::uint64_t size() const { return size_; }

  /// Throws where [offset, offset + length) does not lie in the file.
  void require(std::uint64_t offset, std::uint64_t length, const std::string& what) const {
    if (offset <= size_ && length <= size_ - offset) return;
    const bool wraps = length > std::numeric_limits<std::uint64_t>::max() - offset;
    throw PluginError("it is cut short: " + what + " needs " +
                      (wraps ? "more than 2^64" : std::to_string(offset + length)) +
                      " bytes, the file has " + std::to_string(size_) + "; " + again);
  }
  std::string text(std::uint64_t offset, std::uint64_t length, const std::string& what) {
    require(offset, length, what);
    std::string bytes(static_cast<size_t>(length), '\0');
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(bytes.data(), static_cast<std::streamsize>(length));
    if (!stream_) throw PluginError("reading " + what + " failed; check the file system");
    return bytes;
  }
  template <class T>
  std::vector<T> array(std::uint64_t offset, std::uint64_t count, const std::string& what) {
    // An absurd count must not become an absurd allocation: it is checked in the file's own terms.
    if (count > size_ / sizeof(T)) require(offset, std::uint64_t{sizeof(T)} * size_, what);
    const std::string bytes = text(offset, count * sizeof(T), what);
    std::vector<T> values(static_cast<size_t>(count));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_;
};

/// The text that starts at `offset` of a string table; "" outside of it.
std::string string_at(const std::string& table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const size_t end = table.find('\0', static_cast<size_t>(offset));
  return table.substr(static_cast<size_t>(offset), end - static_cast<size_t>(offset));
}

/// The header, checked to be that of a 64-bit shared library for this machine.
Elf64_Ehdr read_header(FileBytes& file) {
  if (file.size() == 0) throw PluginError(std::string("it is empty (0 bytes); ") + again);
  const std::string mark = file.text(0, std::min<std::uint64_t>(file.size(), SELFMAG), "the mark");
  if (mark != std::string(ELFMAG, SELFMAG).substr(0, mark.size()))
    throw PluginError(std::string("it is not a shared library: it does not start with the ELF "
                                  "mark; ") +
                      not_one);
  const std::string ident = file.text(0, EI_NIDENT, "the ELF header");
  if (ident[EI_CLASS] != ELFCLASS64)
    throw PluginError(std::string("it is not for 64 bits, libsolve is; ") + again);
  if (ident[EI_DATA] != ELFDATA2LSB)
    throw PluginError(std::string("it is for a big-endian machine, this one is little-endian; ") +
                      again);
  const auto header = file.array<Elf64_Ehdr>(0, 1, "the ELF header").front();
  if (own_machine != EM_NONE && header.e_machine != own_machine)
    throw PluginError("it is for another processor: the plugin has " +
                      machine_name(header.e_machine) + ", libsolve has " +
                      machine_name(own_machine) + "; build it on this machine");
  if (header.e_type != ET_DYN)
    throw PluginError(std::string("it is not a shared library but ") +
                      (header.e_type == ET_REL    ? "an object file"
                       : header.e_type == ET_EXEC ? "a program"
                       : header.e_type == ET_CORE ? "a core dump"
                                                  : "another kind of ELF file") +
                      "; " + not_one);
  return header;
}

}  // namespace

PluginContent read_plugin_file(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status))
    throw PluginError("there is no such file; check the path, or build the plugin first");
  if (fs::is_directory(status))
    throw PluginError(
        "it is a folder; name one plugin file, or put the folder into "
        "LIBSOLVE_PLUGIN_PATH");
  if (!fs::is_regular_file(status)) throw PluginError(std::string("it is not a file; ") + not_one);

  FileBytes file(path);
  const Elf64_Ehdr header = read_header(file);

  // What the system's loader would map: a page beyond the end would be a crash, not an error.
  if (header.e_phnum > 0 && header.e_phentsize != sizeof(Elf64_Phdr))
    throw PluginError(std::string("its program headers have a foreign size; ") + again);
  for (const Elf64_Phdr& p :
       file.array<Elf64_Phdr>(header.e_phoff, header.e_phnum, "the table of segments"))
    if (p.p_type == PT_LOAD || p.p_type == PT_DYNAMIC)
      file.require(p.p_offset, p.p_filesz, "a segment");

  if (header.e_shoff == 0 || header.e_shnum == 0)
    throw PluginError(std::string("its section table was removed, and with it the stamp of "
                                  "libsolve; build it again without 'sstrip' or the like; ") +
                      not_one);
  if (header.e_shentsize != sizeof(Elf64_Shdr))
    throw PluginError(std::string("its section headers have a foreign size; ") + again);
  const auto sections =
      file.array<Elf64_Shdr>(header.e_shoff, header.e_shnum, "the table of sections");
  for (const Elf64_Shdr& s : sections)
    if (s.sh_type != SHT_NOBITS && s.sh_type != SHT_NULL)
      file.require(s.sh_offset, s.sh_size, "a section");
  const auto text_of = [&](std::uint64_t index) {
    if (index >= sections.size() || sections[index].sh_type == SHT_NOBITS) return std::string();
    return file.text(sections[index].sh_offset, sections[index].sh_size, "a section");
  };

  PluginContent content;
  const std::string names = text_of(header.e_shstrndx);
  bool has_stamp = false;
  for (size_t i = 0; i < sections.size(); ++i) {
    const Elf64_Shdr& s = sections[i];
    if (string_at(names, s.sh_name) == ".libsolve.abi") {
      const std::string text = text_of(i);
      content.abi_text = text.substr(0, text.find('\0'));
      has_stamp = true;
    }
    if (s.sh_type == SHT_DYNSYM) {
      const std::string strings = text_of(s.sh_link);
      for (const Elf64_Sym& symbol :
           file.array<Elf64_Sym>(s.sh_offset, s.sh_size / sizeof(Elf64_Sym), "the symbol table"))
        if (symbol.st_shndx != SHN_UNDEF &&
            string_at(strings, symbol.st_name) == "libsolve_plugin_register")
          content.has_entry = true;
    }
  }
  if (!has_stamp)
    throw PluginError(std::string("it is a shared library, but holds no stamp of libsolve "
                                  "(section .libsolve.abi), which LIBSOLVE_PLUGIN puts there; ") +
                      not_one);
  return content;
}

AbiFields parse_abi_text(const std::string& text) {
  AbiFields fields;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    const size_t equals = line.find('=');
    if (equals != std::string::npos)
      fields.emplace_back(line.substr(0, equals), line.substr(equals + 1));
    start = end + 1;
  }
  return fields;
}

std::vector<AbiMismatch> compare_abi(const AbiFields& plugin, const AbiFields& libsolve) {
  const std::string absent = "(none)";
  const auto value = [&](const AbiFields& fields, const std::string& key) {
    for (const auto& [name, text] : fields)
      if (name == key) return text;
    return absent;
  };
  std::vector<AbiMismatch> mismatches;
  for (const auto& [key, own] : libsolve)
    if (value(plugin, key) != own) mismatches.push_back({key, value(plugin, key), own});
  for (const auto& [key, theirs] : plugin)
    if (value(libsolve, key) == absent) mismatches.push_back({key, theirs, absent});
  return mismatches;
}

}  // namespace libsolve::detail
