// Replies: lines and codes are the same however the stream is cut.
#include "pieces.hpp"
#include "protocols/codes/reply.hpp"

#include <algorithm>
#include <string>

namespace {

using causeway::codes::reply_decoder;
using causeway::fuzz::require;

struct decoded {
    std::vector<std::string> lines;
    bool too_long = false;
    friend bool operator==(const decoded&, const decoded&) = default;
};

decoded decode(const std::vector<std::string_view>& pieces)
{
    reply_decoder decoder;
    decoded result;
    for (auto piece : pieces) {
        while (!piece.empty()) {
            const auto space = decoder.space();
            require(!space.empty());
            const auto count = std::min(space.size(), piece.size());
            std::copy_n(piece.begin(), count, space.begin());
            piece.remove_prefix(count);
            decoder.received(count);
            while (const auto line = decoder.next_line()) {
                require(line->ends_with('\n') && line->size() <= reply_decoder::longest_line);
                if (const auto code = causeway::codes::code_named_in(*line))
                    require(line->find(code->text()) != std::string_view::npos);
                result.lines.emplace_back(*line);
            }
            result.too_long = decoder.line_too_long();
            if (result.too_long)
                return result;
        }
    }
    return result;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    require(decode(causeway::fuzz::pieces(data, size)) == decode({causeway::fuzz::whole(data, size)}));
    return 0;
}
