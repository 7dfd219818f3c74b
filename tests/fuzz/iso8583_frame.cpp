// Frames: the messages are the same however the stream is cut, and fit into a frame again.
#include "pieces.hpp"
#include "protocols/iso8583/frame.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

namespace iso = causeway::iso8583;
using causeway::fuzz::require;

struct read {
    std::vector<std::string> messages;
    std::string broken;
    friend bool operator==(const read&, const read&) = default;
};

read read_all(const iso::framing& framing, const std::vector<std::string_view>& pieces)
{
    iso::frame_reader reader(framing);
    read result;
    for (auto piece : pieces) {
        while (!piece.empty() && reader.broken().empty()) {
            const auto space = reader.space();
            require(!space.empty());
            const auto count = std::min(space.size(), piece.size());
            std::copy_n(piece.begin(), count, space.begin());
            piece.remove_prefix(count);
            reader.received(count);
            while (const auto message = reader.next()) {
                require(message->size() <= longest_in(framing));
                result.messages.emplace_back(*message);
            }
        }
    }
    result.broken = reader.broken();
    return result;
}

std::string framed(const iso::framing& framing, const std::vector<std::string>& messages)
{
    std::string wire;
    for (const auto& message : messages)
        append_frame(message, framing, wire);
    return wire;
}

} // namespace

// The first byte chooses the framing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const iso::framing framing{.form = static_cast<iso::length_form>(data[0] % 4),
                               .header = (data[0] & 4U) != 0 ? "ISO" : "",
                               .includes_itself = (data[0] & 8U) != 0};
    const auto whole = read_all(framing, {causeway::fuzz::whole(data + 1, size - 1)});
    require(read_all(framing, causeway::fuzz::pieces(data + 1, size - 1)) == whole);
    const auto empty = [](const std::string& message) { return message.empty(); };
    if (std::none_of(whole.messages.begin(), whole.messages.end(), empty)) // in a frame it would be a keep-alive
        require(read_all(framing, {framed(framing, whole.messages)}).messages == whole.messages);
    return 0;
}
