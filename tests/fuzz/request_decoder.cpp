// The code server's reader: codes are the same however the stream is cut, and each is answered with one line of text.
#include "pieces.hpp"
#include "protocols/codes/catalogue.hpp"
#include "protocols/codes/request.hpp"

#include <algorithm>
#include <string>

namespace {

using causeway::fuzz::require;

std::vector<std::string> decode(const std::vector<std::string_view>& pieces)
{
    causeway::codes::request_decoder decoder;
    std::vector<std::string> codes;
    for (auto piece : pieces)
        while (auto code = decoder.next(piece))
            codes.push_back(*std::move(code));
    if (auto code = decoder.finish())
        codes.push_back(*std::move(code));
    return codes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto codes = decode(causeway::fuzz::pieces(data, size));
    require(codes == decode({causeway::fuzz::whole(data, size)}));
    for (const auto& code : codes) {
        require(!code.empty() && code.size() <= 3 && code.find_first_of("\r\n") == std::string::npos);
        std::string reply;
        causeway::codes::append_reply(code, reply);
        require(reply.find('\n') == reply.size() - 1);
        require(std::all_of(reply.begin(), reply.end() - 1, [](char c) { return c >= ' ' && c <= '~'; }));
    }
    return 0;
}
