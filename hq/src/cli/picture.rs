//! Tickets as pictures.

use qrcode::render::{svg, unicode};
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

use super::error::CliError;

/// Pixels of one module.
const SCALE: usize = 8;
/// Modules of white around the code, as the standard asks for.
const QUIET: usize = 4;

/// The QR code of a text.
pub(super) fn code(text: &str) -> Result<QrCode, CliError> {
    QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| CliError::Picture)
}

/// For a terminal: two modules in each character, dark on light whatever the terminal's colours.
pub(super) fn terminal(code: &QrCode) -> String {
    let drawn = code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build();
    // Black paper and white ink by escape, so that also a light terminal shows it.
    drawn.lines().map(|line| format!("\u{1b}[97;40m{line}\u{1b}[0m\n")).collect()
}

/// As SVG.
pub(super) fn svg(code: &QrCode) -> Vec<u8> {
    code.render::<svg::Color<'_>>().build().into_bytes()
}

/// As PNG, grey.
pub(super) fn png(code: &QrCode) -> Result<Vec<u8>, CliError> {
    let modules = code.width();
    let side = (modules + 2 * QUIET) * SCALE;
    let colors = code.to_colors();
    let dark = |x: usize, y: usize| {
        let module = |pixel: usize| (pixel / SCALE).checked_sub(QUIET).filter(|m| *m < modules);
        let at = module(y).zip(module(x)).map(|(y, x)| y * modules + x);
        at.and_then(|at| colors.get(at)) == Some(&Color::Dark)
    };
    let pixels: Vec<u8> =
        (0..side * side).map(|at| if dark(at % side, at / side) { 0 } else { 255 }).collect();
    let mut out = Vec::new();
    let width = u32::try_from(side).map_err(|_| CliError::Picture)?;
    let mut encoder = png::Encoder::new(&mut out, width, width);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(|_| CliError::Picture)?;
    writer.write_image_data(&pixels).map_err(|_| CliError::Picture)?;
    writer.finish().map_err(|_| CliError::Picture)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The finder pattern of the standard: 7 dark modules along the first row, in a quiet zone of 4.
    #[test]
    fn the_picture_has_its_corner_where_readers_look_for_it() {
        let code = code("AMPARO1:ABCDEFGH").unwrap();
        let bytes = png(&code).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(&bytes));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let side = info.width as usize;
        assert_eq!((side, info.height as usize), ((code.width() + 8) * 8, side));
        let module = |x: usize, y: usize| pixels[(y * 8 + 4) * side + x * 8 + 4];
        assert_eq!((4..12).map(|x| module(x, 4)).collect::<Vec<_>>(), [0, 0, 0, 0, 0, 0, 0, 255]);
        assert!((0..4).all(|x| module(x, 4) == 255 && module(4, x) == 255));
        assert!(terminal(&code).lines().count() >= code.width() / 2);
        assert!(svg(&code).starts_with(b"<?xml"));
    }
}
