#include "protocols/iso8583/message.hpp"

#include <algorithm>
#include <stdexcept>

namespace causeway::iso8583 {

bool is_mti(std::string_view text) noexcept
{
    return text.size() == 4 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

const std::string* text_of(const message& message, unsigned number) noexcept
{
    const auto found = std::ranges::find(message.elements, number, &element::number);
    return found != message.elements.end() && found->parts.empty() ? &found->text : nullptr;
}

problem in_element(unsigned number, problem inner)
{
    inner.field = std::to_string(number) + (inner.field.empty() ? "" : ".") + inner.field;
    return inner;
}

void throw_exception_from_error(const problem& problem, const boost::source_location&)
{
    throw std::invalid_argument(problem.field.empty() ? problem.what : problem.field + ": " + problem.what);
}

} // namespace causeway::iso8583
