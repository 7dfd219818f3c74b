#include "protocols/iso8583/dialect.hpp"

#include "protocols/iso8583/built_in.hpp"
#include "protocols/iso8583/specification.hpp"

#include <fmt/format.h>

#include <utility>

namespace causeway::iso8583 {

dialect::dialect(std::shared_ptr<const specification> specification)
    : specification_(std::move(specification))
{
}

dialect dialect::parse(std::string_view specification, std::string_view name)
{
    return dialect(std::make_shared<const iso8583::specification>(parse_specification(specification, name)));
}

dialect dialect::built_in(std::string_view name)
{
    std::string names;
    for (const auto& file : built_in_dialect_files()) {
        if (file.name == name)
            return parse(file.text, name);
        names += names.empty() ? "" : ", ";
        names += file.name;
    }
    throw error(fmt::format("there is no dialect {}; the built-in ones are {}", name, names));
}

} // namespace causeway::iso8583
