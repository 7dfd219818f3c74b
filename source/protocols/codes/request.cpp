#include "protocols/codes/request.hpp"

#include <utility>

namespace causeway::codes {

void append_request(code code, std::string& wire)
{
    wire += code.text();
    wire += '\n';
}

std::optional<std::string> request_decoder::next(std::string_view& bytes)
{
    while (!bytes.empty()) {
        const char byte = bytes.front();
        bytes.remove_prefix(1);
        const bool line_ending = byte == '\r' || byte == '\n';
        if (!line_ending)
            partial_ += byte;
        if (partial_.size() == code::size || (line_ending && !partial_.empty()))
            return std::exchange(partial_, {});
    }
    return std::nullopt;
}

std::optional<std::string> request_decoder::finish()
{
    if (partial_.empty())
        return std::nullopt;
    return std::exchange(partial_, {});
}

} // namespace causeway::codes
