// A request against the session's parser, with its body: the outcome is the same however the bytes are cut.
#include "http/request_parser.hpp"
#include "pieces.hpp"

#include <tuple>

namespace {

using causeway::fuzz::require;
using causeway::http::request_parser;

// As a session does it: what was not consumed is offered again, with what has come since.
std::tuple<bool, unsigned, std::string, unsigned, bool, std::size_t> parse(const std::vector<std::string_view>& pieces)
{
    causeway::http::request request;
    request_parser parser(request);
    std::string input;
    std::size_t size = 0;
    for (const auto piece : pieces) {
        input += piece;
        const auto consumed = parser.read(input);
        require(consumed <= input.size());
        input.erase(0, consumed);
        size += consumed;
        if (const auto& refusal = parser.refused()) {
            require(!refusal->problem.empty());
            return {false, 0, "refused", 0, false, 0}; // which of several faults is told depends on the cut
        }
        if (parser.ended()) {
            require(request.target.size() <= request_parser::longest_target);
            return {true,
                    static_cast<unsigned>(request.method),
                    std::move(request.target),
                    request.version,
                    request.keep_alive,
                    size};
        }
    }
    return {};
}

} // namespace

// The parser may find fault with a head before its end has come, or after. So every head gets an end here.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    std::vector<std::uint8_t> ended(data, data + size);
    for (const char c : {'\r', '\n', '\r', '\n'})
        ended.push_back(static_cast<std::uint8_t>(c));
    require(parse(causeway::fuzz::pieces(ended.data(), ended.size())) ==
            parse({causeway::fuzz::whole(ended.data(), ended.size())}));
    return 0;
}
