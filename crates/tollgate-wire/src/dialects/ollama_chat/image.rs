//! What an image is, by its first bytes: Ollama's images are bare base64.

/// The media type of base64 data, of the kinds that models look at.
pub(super) fn mime(data: &str) -> &'static str {
    const BEGINNINGS: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("UklGR", "image/webp"),
        ("Qk", "image/bmp"),
    ];
    let known = BEGINNINGS.iter().find(|(begins, _)| data.starts_with(begins));
    known.map_or("image/jpeg", |(_, mime)| mime)
}
