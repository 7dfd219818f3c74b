// A request against the session's parser, with its body: the outcome is the same however the bytes are cut.
#include "http/request_parser.hpp"
#include "pieces.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using causeway::fuzz::require;
using causeway::http::request_parser;
using causeway::http::request_state;

// What becomes of the bytes and, for a complete request, what was kept and how many bytes it took.
struct outcome {
    request_state state = request_state::needs_more;
    std::size_t size = 0;
    unsigned method = 0;
    std::string target = {};
    unsigned version = 0;
    bool keep_alive = false;
    std::string content_type = {};
    std::string body = {};

    bool operator==(const outcome&) const = default;
};

// As a session does it: what was not consumed is offered again, with what has arrived since.
outcome parse(const std::vector<std::string_view>& pieces)
{
    causeway::http::request request;
    request_parser parser(request, causeway::http::body_use::kept);
    std::string input;
    std::size_t size = 0;
    for (auto piece = pieces.begin(); piece != pieces.end() && parser.state() == request_state::needs_more; ++piece) {
        input += *piece;
        const auto consumed = parser.read(input);
        require(consumed <= input.size());
        input.erase(0, consumed);
        size += consumed;
        require(parser.begun() || input.empty() || input == "\r");
    }
    if (parser.state() == request_state::refused)
        require(parser.begun() && !parser.reason().problem.empty());
    if (parser.state() != request_state::complete)
        return {.state = parser.state()}; // which of several errors is reported depends on the cut
    require(request.target.size() <= request_parser::longest_target);
    require(request.body.size() <= causeway::http::body_reader::longest);
    return {parser.state(),
            size,
            static_cast<unsigned>(request.method),
            std::move(request.target),
            request.version,
            request.keep_alive,
            std::move(request.content_type),
            std::move(request.body)};
}

} // namespace

// The parser may reject a header section before or after its end has arrived. So every one gets an end here.
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
