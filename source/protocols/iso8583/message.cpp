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

bool has_text(const message& message, unsigned number, std::string_view text) noexcept
{
    const auto* found = text_of(message, number);
    return found != nullptr && *found == text;
}

void set_text(message& message, unsigned number, std::string_view text)
{
    auto& elements = message.elements;
    auto place = std::ranges::lower_bound(elements, number, {}, &element::number);
    if (place == elements.end() || place->number != number)
        place = elements.insert(place, {.number = number});
    place->text = text;
    place->parts.clear();
}

message only(const message& message, std::span<const unsigned> numbers)
{
    iso8583::message some{.mti = message.mti, .elements = {}};
    for (const auto& element : message.elements)
        if (std::ranges::find(numbers, element.number) != numbers.end())
            some.elements.push_back(element);
    return some;
}

std::string in_words(const problem& problem)
{
    return problem.field.empty() ? problem.what : problem.field + ": " + problem.what;
}

problem in_element(unsigned number, problem inner)
{
    inner.field = std::to_string(number) + (inner.field.empty() ? "" : ".") + inner.field;
    return inner;
}

void throw_exception_from_error(const problem& problem, const boost::source_location&)
{
    throw std::invalid_argument(in_words(problem));
}

} // namespace causeway::iso8583
