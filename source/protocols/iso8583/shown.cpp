#include "protocols/iso8583/shown.hpp"

#include "protocols/iso8583/fields.hpp"

#include <fmt/format.h>

#include <iterator>

namespace causeway::iso8583 {

std::string shown(const message& message)
{
    auto text = message.mti;
    for (const auto number :
         {field::processing_code, field::transmission_time, field::trace_number, field::retrieval_reference,
          field::response_code, field::terminal, field::information_code})
        if (const auto* value = text_of(message, number))
            fmt::format_to(std::back_inserter(text), " {}={}", number, *value);
    return text;
}

} // namespace causeway::iso8583
