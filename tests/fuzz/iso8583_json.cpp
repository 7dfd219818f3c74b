// Messages as JSON: a valid one is unchanged after writing and reading it again.
#include "pieces.hpp"
#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/json.hpp"

#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using causeway::fuzz::require;
    using namespace causeway::iso8583;
    static const auto postilion = dialect::built_in("postilion");
    const auto message = from_json({reinterpret_cast<const char*>(data), size});
    if (!message) {
        require(!message.error().what.empty());
        return 0;
    }
    std::string json;
    append_json(*message, json);
    const auto again = from_json(json);
    // An element without parts has become an element without text.
    std::string json_again;
    append_json(again.value(), json_again);
    require(json_again == json);
    if (const auto bytes = postilion.pack(*message))
        require(postilion.unpack(*bytes).has_value());
    return 0;
}
